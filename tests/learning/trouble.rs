//! Whatever is wrong with the cache: one warning, right results, nothing that hangs.

use std::fs;
use std::process::Command;

use crate::children::{Home, Played};

/// A home with a history of three runs.
fn home() -> Home {
    let home = Home::new();
    assert!(home.play("record", "3").ok);
    home
}

/// Uses the function. Whatever happened, it worked and said one thing that contains `word`; returns what it knew in
/// the end, and what became of flushing.
fn used(command: &mut Command, word: &str) -> (String, String) {
    let played = Played::of(command.output().expect("a child"));
    assert!(played.ok, "{}", played.stderr);
    let warnings = played.warnings();
    assert!(warnings.len() == 1 && warnings[0].contains(word), "{}", played.stderr);
    let (history, flushed) = played.stdout.split_once('\n').expect("two lines");
    (history.to_owned(), flushed.trim_end().to_owned())
}

/// Uses a history that is set aside and begun anew.
fn begins_anew(home: &Home) {
    assert_eq!(used(&mut home.command("use", ""), "damaged"), ("10".to_owned(), "flushed".to_owned()));
    assert_eq!(home.count(), 10);
}

pub(crate) fn no_home() {
    let home = Home::new();
    let mut command = home.command("use", "");
    command.env("AMORSIZE_CACHE_DIR", "");
    for name in ["HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"] {
        command.env_remove(name);
    }
    let (history, flushed) = used(&mut command, "set AMORSIZE_CACHE_DIR");
    assert!(history.contains("set AMORSIZE_CACHE_DIR") && flushed.contains("set AMORSIZE_CACHE_DIR"));
}

pub(crate) fn a_home_that_is_none() {
    let home = Home::new();
    fs::write(home.cache(), "a file").unwrap();
    let (_, flushed) = used(&mut home.command("use", ""), home.cache().to_str().unwrap());
    assert!(flushed.contains(home.cache().to_str().unwrap()), "{flushed}");
}

pub(crate) fn noise_in_place_of_the_history() {
    let home = home();
    fs::write(home.history(), vec![0x5a; 10 << 20]).unwrap();
    begins_anew(&home);
}

pub(crate) fn a_later_version() {
    let home = home();
    let file = home.history();
    fs::write(&file, b"amorsize\x02\xfdwho knows").unwrap();
    let (history, flushed) = used(&mut home.command("use", ""), "later release");
    assert!(history.contains("later release") && flushed.contains("later release"));
    assert_eq!(fs::read(&file).unwrap(), b"amorsize\x02\xfdwho knows");
}

pub(crate) fn a_directory_that_others_can_write() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        let home = home();
        fs::set_permissions(home.cache(), fs::Permissions::from_mode(0o770)).unwrap();
        let before = fs::read(home.history()).unwrap();
        let (history, _) = used(&mut home.command("use", ""), "not trusted");
        assert!(history.contains("chmod go-w"), "{history}");
        assert_eq!(fs::read(home.history()).unwrap(), before);
        fs::remove_file(home.history()).unwrap();
        let asked = home.play("count", "");
        assert!(!asked.ok && asked.stderr.contains("Untrusted"), "of a new function too: {}", asked.stderr);
        let looked = home.play("look", "");
        assert!(looked.ok && looked.stderr.contains("not trusted"), "of short runs too: {}", looked.stderr);
    }
}

#[cfg(unix)]
pub(crate) mod unix {
    use std::fs::{self, File};
    use std::process::{Command, Stdio};

    use super::{begins_anew, home, used};
    use crate::children::Home;

    fn pipe(path: &std::path::Path) {
        fs::remove_file(path).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    }

    /// At its end nobody could be told any more.
    #[cfg(target_os = "linux")]
    pub(crate) fn a_short_program_hears_of_a_directory_that_cannot_be_made() {
        let mut command = Home::new().command("stream", "1");
        let played = Home::played(command.env("AMORSIZE_CACHE_DIR", "/proc/amorsize"));
        let warnings = played.warnings();
        assert!(played.ok && warnings.len() == 1 && warnings[0].contains("/proc/amorsize"), "{}", played.stderr);
    }

    /// The system would kill whoever writes even so.
    pub(crate) fn a_process_that_may_write_no_files_goes_on_without_them() {
        let home = home();
        let before = fs::read(home.history()).unwrap();
        let command = home.command("use", "");
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -f 0; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
        limited.envs(command.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
        let played = Home::played(&mut limited);
        assert!(played.ok && played.stdout.contains("ulimit -f"), "{} {}", played.stdout, played.stderr);
        assert_eq!(fs::read(home.history()).unwrap(), before);
    }

    pub(crate) fn a_directory_in_place_of_the_history() {
        let home = home();
        let file = home.history();
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        begins_anew(&home);
    }

    pub(crate) fn a_pipe_in_place_of_the_history() {
        let home = home();
        pipe(&home.history());
        begins_anew(&home);
    }

    pub(crate) fn a_pipe_in_place_of_the_lock() {
        let home = home();
        pipe(&home.cache().join("lock"));
        assert!(home.play("use", "").ok);
    }

    /// A process that was stopped while it wrote must not stop all others. They wait for it when they are asked to
    /// flush, and when they end, but not for ever.
    pub(crate) fn a_lock_that_is_never_let_go() {
        let home = home();
        let lock = File::open(home.cache().join("lock")).unwrap();
        lock.lock().unwrap();
        let played = home.play("use", "");
        assert!(played.ok, "{}", played.stderr);
        assert!(played.warnings().len() <= 1 && played.stdout.contains("kept locked"), "{}", played.stdout);
        drop(lock);
        assert_eq!(home.count(), 3);
    }

    /// A limit on the size of files is met like a full disk: what fits is written, and then nothing. (Shells count it
    /// in blocks of 512 bytes or of a kilobyte.)
    pub(crate) fn a_full_disk() {
        let home = Home::new();
        assert!(home.play("record", "40").ok);
        let limit = fs::metadata(home.history()).unwrap().len() / 1024;
        let (_, flushed) = used(&mut limited(&home, limit), "cannot write");
        assert!(flushed.contains("cannot write"), "{flushed}");
        assert_eq!(home.count(), 40);
    }

    /// A damaged history stays in its place until a mended one can take it.
    pub(crate) fn a_damaged_history_on_a_full_disk() {
        let home = Home::new();
        assert!(home.play("record", "40").ok);
        let mut bytes = fs::read(home.history()).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(home.history(), &bytes).unwrap();
        let (_, flushed) = used(&mut limited(&home, 1), "could not be set aside");
        assert!(flushed.contains("cannot write"), "{flushed}");
        assert_eq!(home.count(), 39);
    }

    /// A child that uses the function, where files may have so many times 1024 bytes.
    fn limited(home: &Home, limit: u64) -> Command {
        let program = home.command("use", "");
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\"");
        let mut command = Command::new("bash");
        command.args(["-c", &script]).arg(program.get_program());
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}
