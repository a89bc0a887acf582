//! Names that are keywords.

#[amorsize::streaming]
fn r#match(r#type: u64, r#fn: &str) -> usize {
    r#type as usize + r#fn.len()
}

#[amorsize::streaming]
fn r#loop(r#in: u64) -> u64 {
    r#in
}

fn main() {
    assert_eq!(r#match::with("a").stream(0..2).sum::<usize>(), 3);
    assert_eq!(r#loop::stream(0..2).sum::<u64>(), 1);
    assert!(format!("{:?}", r#loop::tuner()).contains("\"loop\""));
}
