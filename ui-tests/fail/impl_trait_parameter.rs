#[amorsize::streaming]
fn length(text: impl AsRef<str>) -> usize {
    text.as_ref().len()
}

#[amorsize::streaming]
fn shown(item: &impl std::fmt::Debug) -> usize {
    format!("{item:?}").len()
}

#[amorsize::streaming]
fn applied<T: Copy>(n: T, f: &(impl Fn(T) -> T + Sync), more: Option<impl Into<T>>) -> T {
    f(more.map_or(n, Into::into))
}

#[amorsize::streaming]
fn both(pair: (impl Copy, impl Iterator<Item = impl Sized>)) -> usize {
    pair.1.count()
}

fn main() {}
