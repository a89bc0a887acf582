#[amorsize::streaming]
fn gather(n: u64, all: &mut Vec<u64>) {
    all.push(n);
}

macro_rules! gather_in {
    ($name:ident, $context:ty) => {
        #[amorsize::streaming]
        fn $name(n: u64, all: $context) {
            all.push(n);
        }
    };
}

gather_in!(gather_made, &mut Vec<u64>);

fn main() {}
