#[amorsize::streaming]
fn read(path: String, #[cfg(unix)] mode: u32) -> u32 {
    mode + path.len() as u32
}

fn main() {}
