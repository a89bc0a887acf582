#[amorsize::streaming]
fn read(path: String, #[cfg(unix)] mode: u32) -> u32 {
    mode + path.len() as u32
}

#[amorsize::streaming]
fn sum<#[cfg(unix)] T: Copy + Into<u64>, #[cfg_attr(unix, cfg(windows))] const N: usize>(n: u64) -> u64 {
    n
}

fn main() {}
