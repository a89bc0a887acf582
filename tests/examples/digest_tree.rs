//! The first example, as a person runs it: order, errors, exit codes, a closed pipe.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::program::{Program, output};

/// So many folders and files in each of them: enough for parallel plans, and for lines beyond what a pipe holds.
const FOLDERS: usize = 20;
const FILES: usize = 100;

/// A tree of files that differ in content and size; returns the lines that `b3sum` would print for it.
fn tree() -> (TempDir, String) {
    let root = TempDir::new().unwrap();
    let mut lines = String::new();
    for folder in 0..FOLDERS {
        let folder = root.path().join(format!("folder-{folder:02}"));
        fs::create_dir(&folder).unwrap();
        for file in 0..FILES {
            let path = folder.join(format!("file-{file:03}"));
            lines += &file_of(&path, &format!("{folder:?}/{file}").repeat(file * file / 10));
        }
    }
    (root, lines)
}

/// Writes a file; returns its line.
fn file_of(path: &Path, content: &str) -> String {
    fs::write(path, content).unwrap();
    let name = path.display().to_string();
    let name = if cfg!(windows) { name.replace('\\', "/") } else { name };
    format!("{}  {name}\n", blake3::hash(content.as_bytes()))
}

#[test]
fn hashes_come_in_order_and_the_plan_and_the_report_behind_them() {
    let (root, lines) = tree();
    let (code, printed, messages) = output(Program::new("digest_tree").command().arg(root.path()));
    assert_eq!(code, Some(0), "{messages}");
    assert!(printed == lines, "{printed}");
    let messages: Vec<&str> = messages.lines().collect();
    assert!(messages[0].starts_with("digest_tree: 2000 files hashed ("), "{messages:?}");
    assert!(messages[0].ends_with("), 0 unreadable"), "{messages:?}");
    assert!(messages[1].starts_with("digest_tree: plan: "), "{messages:?}");
    assert!(messages[2].starts_with("digest_tree: report: 2000 items in "), "{messages:?}");
    assert_eq!(messages.len(), 3, "no bar where standard error is no terminal: {messages:?}");
}

#[test]
fn a_folder_that_does_not_exist_is_one_sentence_and_exit_code_1() {
    let (code, printed, messages) = output(Program::new("digest_tree").command().arg("no/such/folder"));
    assert_eq!((code, printed.as_str()), (Some(1), ""));
    assert!(messages.starts_with("digest_tree: cannot read `no/such/folder`: "), "{messages}");
    assert_eq!(messages.lines().count(), 1, "{messages}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let (root, lines) = tree();
    let program = Program::new("digest_tree");
    let mut command = program.command();
    let mut child = command.arg(root.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let read: Vec<String> = BufReader::new(child.stdout.take().unwrap()).lines().take(3).map(Result::unwrap).collect();
    assert!(read.iter().map(String::as_str).eq(lines.lines().take(3)), "{read:?}");
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn an_empty_folder_has_nothing_to_hash() {
    let root = TempDir::new().unwrap();
    let (code, printed, messages) = output(Program::new("digest_tree").command().arg(root.path()));
    assert_eq!((code, printed.as_str()), (Some(0), ""));
    assert!(messages.starts_with("digest_tree: 0 files hashed (0 B), 0 unreadable\n"), "{messages}");
}

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;

    /// User and group "nobody".
    const NOBODY: u32 = 65534;

    /// The program, run by somebody who may not read everything: permissions do not hold for root.
    fn restricted(program: &Program, folder: &Path, unreadable: &Path) -> Command {
        if fs::File::open(unreadable).is_err() {
            return program.command();
        }
        // Nobody may not get to the folder of the program, nor to a temporary one.
        let copy = folder.with_file_name("digest_tree");
        // By another process: a program that is open for writing does not start, and for a moment a child that some
        // other test starts has open what this process has.
        assert!(Command::new("cp").arg(&program.path).arg(&copy).status().unwrap().success());
        fs::set_permissions(copy.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
        let mut command = program.command_of(copy);
        command.uid(NOBODY).gid(NOBODY);
        command
    }

    #[test]
    fn what_cannot_be_read_is_told_and_counted_and_the_rest_goes_on() {
        let root = TempDir::new().unwrap();
        let folder = root.path().join("folder");
        fs::create_dir_all(folder.join("b-closed")).unwrap();
        let first = file_of(&folder.join("a-first"), "first");
        file_of(&folder.join("b-closed").join("within"), "within");
        file_of(&folder.join("c-secret"), "secret");
        let last = file_of(&folder.join("d-last"), "last");
        for closed in ["b-closed", "c-secret"] {
            fs::set_permissions(folder.join(closed), Permissions::from_mode(0o000)).unwrap();
        }

        let program = Program::new("digest_tree");
        let mut command = restricted(&program, &folder, &folder.join("c-secret"));
        let (code, printed, messages) = output(command.arg(&folder));
        fs::set_permissions(folder.join("b-closed"), Permissions::from_mode(0o700)).unwrap();
        assert_eq!((code, printed), (Some(1), first + &last), "{messages}");
        let named = |line: usize, name: &str| messages.lines().nth(line).is_some_and(|line| line.contains(name));
        assert!(named(0, "b-closed") && named(1, "c-secret"), "{messages}");
        assert!(named(2, "digest_tree: 2 files hashed (9 B), 2 unreadable"), "{messages}");
    }

    #[test]
    fn symbolic_links_are_not_followed() {
        let root = TempDir::new().unwrap();
        let line = file_of(&root.path().join("file"), "content");
        symlink(root.path(), root.path().join("again")).unwrap();
        symlink(root.path().join("file"), root.path().join("also")).unwrap();
        let (code, printed, messages) = output(Program::new("digest_tree").command().arg(root.path()));
        assert_eq!((code, printed), (Some(0), line), "{messages}");
    }

    #[test]
    fn names_that_would_break_a_line_are_escaped() {
        let root = TempDir::new().unwrap();
        file_of(&root.path().join("one\ntwo\\three"), "content");
        let (code, printed, _) = output(Program::new("digest_tree").command().arg(root.path()));
        let name = root.path().join(r"one\ntwo\\three");
        assert_eq!(printed, format!("\\{}  {}\n", blake3::hash(b"content"), name.display()));
        assert_eq!(code, Some(0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let root = TempDir::new().unwrap();
        file_of(&root.path().join("file"), "content");
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, _, messages) = output(Program::new("digest_tree").command().arg(root.path()).stdout(full));
        assert_eq!(code, Some(1));
        assert!(messages.starts_with("digest_tree: cannot write to standard output: "), "{messages}");
    }
}
