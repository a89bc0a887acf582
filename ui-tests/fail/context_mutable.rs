#[amorsize::streaming]
fn gather(n: u64, all: &mut Vec<u64>) {
    all.push(n);
}

fn main() {}
