use std::error::Error;
use std::rc::Rc;

#[amorsize::streaming]
fn parse(text: &str) -> Result<u32, Box<dyn Error>> {
    Ok(text.parse()?)
}

#[amorsize::streaming]
fn share(n: u64) -> Rc<u64> {
    Rc::new(n)
}

fn main() {}
