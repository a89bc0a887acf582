trait Score {
    #[amorsize::streaming]
    fn score(n: u64) -> u64;
}

fn main() {}
