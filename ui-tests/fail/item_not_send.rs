use std::rc::Rc;

#[amorsize::streaming]
fn length(text: Rc<str>) -> usize {
    text.len()
}

fn main() {}
