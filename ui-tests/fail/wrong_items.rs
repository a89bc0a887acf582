use std::path::PathBuf;

#[amorsize::streaming]
fn digest(path: PathBuf) -> usize {
    path.as_os_str().len()
}

#[amorsize::streaming]
fn length(text: &str) -> usize {
    text.len()
}

#[amorsize::streaming]
fn show<T: std::fmt::Display>(item: T) -> String {
    item.to_string()
}

fn main() {
    digest::stream(vec!["a", "b"]);
    length::stream([1, 2]);
    show::stream([Some(1)]);
    let _: Vec<_> = digest::collect(["a"]);
    digest::stream(3);
}
