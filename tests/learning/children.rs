//! A directory of histories, and processes that use it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::roles::{ARGUMENT, ROLE};

/// Where the children of a test keep their histories.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The directory that children are told to use.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path().join("cache")
    }

    /// The one history there is.
    pub(crate) fn history(&self) -> PathBuf {
        let mut entries =
            std::fs::read_dir(self.cache()).expect("a cache directory").map(|entry| entry.unwrap().path());
        entries.find(|path| path.extension().is_some_and(|ending| ending == "history")).expect("a history")
    }

    /// A process that is not started yet.
    pub(crate) fn command(&self, role: &str, argument: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.env(ROLE, role).env(ARGUMENT, argument).env("AMORSIZE_CACHE_DIR", self.cache());
        command.env_remove("AMORSIZE").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, role: &str, argument: &str) -> Child {
        self.command(role, argument).spawn().expect("a child")
    }

    /// Plays a role to its end.
    pub(crate) fn play(&self, role: &str, argument: &str) -> Played {
        Self::played(&mut self.command(role, argument))
    }

    pub(crate) fn played(command: &mut Command) -> Played {
        Played::of(command.output().expect("a child"))
    }

    /// Recorded runs, as another process sees them.
    pub(crate) fn count(&self) -> usize {
        let played = self.play("count", "");
        assert!(played.ok, "{}", played.stderr);
        played.stdout.trim().parse().expect("a number")
    }
}

/// How a child went.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) ok: bool,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Played {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            ok: output.status.success(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Lines that warn.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.contains("WARN")).collect()
    }
}
