mod read {
    #[amorsize::streaming]
    pub fn bool(text: &str) -> bool {
        text == "true"
    }

    #[amorsize::streaming]
    pub fn r#u64(text: &str) -> Option<u64> {
        text.parse().ok()
    }

    pub fn is_long(text: &str) -> bool {
        text.len() > 80
    }
}

fn main() {
    read::bool("true");
    read::u64("1");
    read::is_long("");
}
