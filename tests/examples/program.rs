//! Finds the example programs and runs them apart from the user's history.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A program of `examples/`, with an empty history of its own.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    history: TempDir,
}

impl Program {
    /// Cargo names only a package's binaries to its tests, not its examples; those are beside the tests' own folder.
    pub(crate) fn new(name: &str) -> Self {
        let this = env::current_exe().unwrap();
        let profile = this.parent().and_then(|deps| deps.parent()).unwrap();
        let path = profile.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
        assert!(path.exists(), "{} is not built: run `cargo test` or `cargo build --examples`", path.display());
        Self { path, history: TempDir::new().unwrap() }
    }

    pub(crate) fn command(&self) -> Command {
        self.command_of(&self.path)
    }

    /// The same for a copy of the program.
    pub(crate) fn command_of(&self, copy: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(copy);
        command.env("AMORSIZE_CACHE_DIR", self.history.path());
        command
    }
}

pub(crate) fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}
