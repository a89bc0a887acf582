//! What this process may use of the machine (placeholder until the real one is merged).
pub(crate) fn cores() -> usize {
    static CORES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}
pub(crate) fn available_memory() -> u64 {
    8 << 30
}
