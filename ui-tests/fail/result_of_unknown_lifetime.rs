struct Line<'a>(&'a str);

#[amorsize::streaming]
fn text(line: Line) -> &str {
    line.0
}

#[amorsize::streaming]
fn longer<'a>(pair: (&'a str, &str)) -> &str {
    pair.0
}

fn main() {}
