//! Nothing of what is added is suggested in place of what a program of one's own does not have.

#[amorsize::streaming]
fn size<T: Copy + Send>(item: &T) -> usize {
    size_of_val(item)
}

struct Sink;

fn main() {
    size::stream([1]).for_each(drop);
    Sink.send();
}
