struct Model(u64);

#[amorsize::streaming]
fn score(n: u64, model: Model) -> u64 {
    n * model.0
}

fn main() {
    score::with(Model(1));
}
