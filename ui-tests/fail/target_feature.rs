#[amorsize::streaming]
#[target_feature(enable = "sse2")]
fn sum(item: [f32; 4]) -> f32 {
    item.iter().sum()
}

fn main() {
    println!("{}", sum::stream([[1.0; 4]]).count());
}
