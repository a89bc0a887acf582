//! Wrong options and a wrong signature are reported together.

#[amorsize::streaming(treads = 4, chunk_size = 0)]
async fn fetch(url: impl AsRef<str>, cache: &mut Vec<u8>) -> impl Sized {
    cache.extend(url.as_ref().bytes());
}

fn main() {}
