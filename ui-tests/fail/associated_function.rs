struct Model(u64);

impl Model {
    #[amorsize::streaming]
    fn score(n: u64) -> u64 {
        n
    }
}

fn main() {
    Model(1).0.max(Model::score(1));
}
