#[amorsize::streaming]
struct Square(u64);

#[amorsize::streaming]
mod squares {}

#[amorsize::streaming]
pub const SQUARE: u64 = 4;

fn main() {}
