//! What Linux tells about the machine and this process' share of it.
//!
//! - [`cgroup`]: the control groups of this process and their limits
//! - [`cores`]: processors it may run on, and for how much of the time
//! - [`memory`]: memory it has and may still take
//! - [`text`]: the files that all of them read
//! - [`topology`]: caches and memory nodes

pub(super) mod cgroup;
pub(super) mod cores;
pub(super) mod memory;
mod text;
pub(super) mod topology;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// A made-up file system in a temporary directory.
    pub(super) struct Tree(tempfile::TempDir);

    impl Tree {
        pub(super) fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        /// Adds or replaces a file.
        pub(super) fn file(self, name: &str, text: &str) -> Self {
            let path = self.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            self
        }

        pub(super) fn path(&self) -> &Path {
            self.0.path()
        }
    }
}
