use std::rc::Rc;

#[amorsize::streaming]
fn same<T>(item: T) -> T {
    item
}

#[amorsize::streaming]
fn shared<T>(item: T) -> Rc<T> {
    Rc::new(item)
}

fn main() {
    same::stream(vec![Rc::new(1)]);
    let _: Vec<_> = same::collect([Rc::new(1)]);
    shared::stream(0..3);
    shared::tuner().threads(2).stream(0..3);
}
