struct Model(u64);

impl Model {
    #[amorsize::streaming]
    fn score(&self, n: u64) -> u64 {
        self.0 * n
    }

    #[amorsize::streaming]
    fn boxed(mut self: Box<Self>, n: u64) -> u64 {
        self.0 *= n;
        self.0
    }

    #[amorsize::streaming]
    fn scored<'a>(&'a mut self, n: u64) {
        self.0 *= n;
    }

    #[amorsize::streaming]
    fn new(n: u64) -> Self {
        Self(n)
    }
}

fn main() {}
