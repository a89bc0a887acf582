#[amorsize::streaming]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let text = String::from("a b");
    let lengths = length::stream(text.split(' '));
    drop(text);
    lengths.count();
}
