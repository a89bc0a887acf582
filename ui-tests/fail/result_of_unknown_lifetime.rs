struct Line<'a>(&'a str);

#[amorsize::streaming]
fn text(line: Line) -> &str {
    line.0
}

fn main() {}
