use std::cell::Cell;
use std::rc::Rc;

#[amorsize::streaming]
fn count(n: u64, seen: &Cell<u64>) -> u64 {
    seen.set(seen.get() + 1);
    n
}

#[amorsize::streaming]
fn share(n: u64, name: Rc<str>) -> u64 {
    n + name.len() as u64
}

fn main() {
    count::with(Cell::new(0));
}
