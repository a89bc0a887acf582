//! A directory of histories, and processes that use it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::roles::{ARGUMENT, ROLE};

/// Where the children of a test keep their histories.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The directory that children are told to use.
    pub fn cache(&self) -> PathBuf {
        self.path().join("cache")
    }

    /// The one history there is.
    pub fn history(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.cache()).expect("a cache directory").map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|e| e == "history")).next().expect("a history")
    }

    /// A process that is not started yet.
    pub fn command(&self, role: &str, argument: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.env(ROLE, role).env(ARGUMENT, argument).env("AMORSIZE_CACHE_DIR", self.cache());
        command.env_remove("AMORSIZE").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn start(&self, role: &str, argument: &str) -> Child {
        self.command(role, argument).spawn().expect("a child")
    }

    /// Plays a role to its end.
    pub fn play(&self, role: &str, argument: &str) -> Played {
        Played::of(self.command(role, argument).output().expect("a child"))
    }

    /// Recorded runs, as another process sees them.
    pub fn count(&self) -> usize {
        let played = self.play("count", "");
        assert!(played.ok, "{}", played.stderr);
        played.stdout.trim().parse().expect("a number")
    }
}

/// How a child went.
pub struct Played {
    pub ok: bool,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Played {
    pub fn of(output: Output) -> Self {
        Self {
            ok: output.status.success(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Lines that warn.
    pub fn warnings(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.contains("WARN")).collect()
    }
}
