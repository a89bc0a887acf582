//! A function's history in this process: in memory for predictions, queued for the disk.
//!
//! The file is read once, when the history is first asked for, and again when someone wants to see it. A file that
//! cannot be read or written is a warning, once, and an empty history; it is tried again as [`Backoff`] allows.
//!
//! Locks are taken in the order `disk`, `put_off`, `memory`, `queue`; only `disk` is ever held while the file is read
//! or written, and none while trouble is told: whoever listens may ask for the history.

mod endings;
mod recording;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use once_cell::sync::OnceCell;

use crate::constants::MIN_SAMPLES;
use crate::decide::situation::Kind;
use crate::error::Error;
use crate::fingerprint::Identity;
use crate::learn::calibrated;
use crate::learn::contents::Contents;
use crate::learn::disk::{Disk, Using};
use crate::learn::header::{self, Name};
use crate::learn::learned::Learned;
use crate::learn::machines::{self, NOT_YET_KNOWN};
use crate::learn::pace::{Backoff, Pace};
use crate::learn::sample::Sample;
use crate::learn::store::{Loaded, Store};
use crate::learn::writer;
use crate::plan::Pool;
use crate::sync::{lock, try_lock};
use endings::Endings;

/// So many times more samples make those that were put off a few.
const FEW_AMONG: usize = 4;

/// A function that has run, or is about to, in this process.
#[derive(Debug)]
pub(crate) struct Function {
    identity: Identity,
    name: Name,
    store: Arc<Store>,
    memory: Mutex<Arc<Learned>>,
    /// What was recorded before anybody knew what machine this is, and what a short run leaves to the writer: belongs
    /// behind what is in memory.
    put_off: Mutex<Vec<Sample>>,
    /// Frames that have been recorded and not been written.
    queue: Mutex<Vec<u8>>,
    /// The process in which a run was last recorded.
    process: AtomicU32,
    disk: Mutex<Disk>,
    loaded: OnceCell<()>,
    reading: Backoff,
    writing: Backoff,
    warned: AtomicBool,
    /// Whether the writer knows that there is something to write.
    due: AtomicBool,
    /// Whether there is a file, which only has to be added to.
    stored: AtomicBool,
    pace: Pace,
    kind: Mutex<Kind>,
    endings: Endings,
}

impl Function {
    pub(crate) fn new(identity: Identity, store: Arc<Store>) -> Self {
        Self {
            identity,
            name: Name::of(&identity),
            store,
            memory: Mutex::default(),
            put_off: Mutex::default(),
            queue: Mutex::default(),
            process: AtomicU32::new(std::process::id()),
            disk: Mutex::default(),
            loaded: OnceCell::new(),
            reading: Backoff::default(),
            writing: Backoff::default(),
            warned: AtomicBool::new(false),
            due: AtomicBool::new(false),
            stored: AtomicBool::new(false),
            pace: Pace::default(),
            kind: Mutex::default(),
            endings: Endings::default(),
        }
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn key(&self) -> u64 {
        self.name.key
    }

    /// Notes that a run over such items begins.
    pub(crate) fn sees(&self, kind: Kind) {
        *lock(&self.kind) = kind;
    }

    /// What the items of the last run here are like.
    pub(crate) fn kind(&self) -> Kind {
        *lock(&self.kind)
    }

    /// Where runs of this process were left before their end.
    pub(crate) fn endings(&self) -> &Endings {
        &self.endings
    }

    /// What has been learned. Does not wait for the file: while someone else uses it, the answer is what is in memory.
    pub(crate) fn learned(&self) -> Arc<Learned> {
        self.load_if_due();
        if self.may_tell() {
            self.catch_up();
        }
        Arc::clone(&lock(&self.memory))
    }

    /// What has been learned, for a run that is about to begin and may be short: a few runs among many may be missing.
    pub(crate) fn learned_lately(&self) -> Arc<Learned> {
        self.load_if_due();
        if self.is_behind() && self.may_tell() {
            self.catch_up();
        }
        Arc::clone(&lock(&self.memory))
    }

    /// Answers the last question again while nobody waits: whoever asks the same will have the answer at once.
    pub(crate) fn foresee(&self) {
        let learned = Arc::clone(&lock(&self.memory));
        learned.foresee();
    }

    fn load_if_due(&self) {
        if self.loaded.get().is_none() && self.reading.allows() {
            self.try_load();
        }
    }

    /// Whether what was put off may change what is predicted.
    fn is_behind(&self) -> bool {
        let put_off = lock(&self.put_off).len();
        put_off * FEW_AMONG > lock(&self.memory).samples().len()
    }

    /// Whether nothing that was recorded speaks for the plain loop, as far as is known here.
    pub(crate) fn is_open_to_threads(&self) -> bool {
        let knows = self.loaded.get().is_some() && lock(&self.put_off).is_empty();
        knows && lock(&self.memory).samples().iter().all(|sample| sample.pool != Pool::Serial)
    }

    /// The last run of this body in this build, and how many there were, if all of them had threads that compute: then
    /// nobody knows what the plain loop takes.
    pub(crate) fn threads_only(&self, body: u64, build: u64) -> Option<(Sample, usize)> {
        self.loaded.get()?;
        let put_off = lock(&self.put_off);
        let memory = lock(&self.memory);
        let all = memory.samples().iter().chain(&*put_off);
        let mut alike = all.filter(|sample| (sample.body, sample.build) == (body, build));
        let had_threads = alike.clone().all(|sample| sample.pool == Pool::Cpu);
        let runs = alike.clone().count();
        alike.next_back().filter(|_| had_threads).map(|last| (last.clone(), runs))
    }

    /// Whether it is known what machine this is, or what was put off is worth finding out: where nothing can be
    /// predicted without it.
    fn may_tell(&self) -> bool {
        let put_off = lock(&self.put_off).len();
        let known = lock(&self.memory).samples().len();
        machines::id_if_known() != NOT_YET_KNOWN || (known < MIN_SAMPLES && put_off + known >= MIN_SAMPLES)
    }

    #[cold]
    fn try_load(&self) {
        let Some(mut disk) = self.try_disk() else { return };
        let loaded = self.loaded.get_or_try_init(|| {
            self.reload(&mut disk)?;
            calibrated::observe(lock(&self.memory).samples());
            Ok(())
        });
        match loaded {
            Ok(()) => self.reading.worked(),
            Err(error) => {
                self.reading.failed();
                disk.trouble.push(error);
            }
        }
    }

    /// Makes memory what the file holds and the queue will add to it.
    fn reload(&self, disk: &mut Disk) -> Result<(), Error> {
        let Loaded { contents, warning } = self.store.load(&self.name)?;
        disk.trouble.extend(warning);
        disk.machines = contents.machines.iter().map(|machine| machine.id).collect();
        self.stored.store(!disk.machines.is_empty(), Ordering::Relaxed);
        let mut learned = Learned::from(contents);
        let mut memory = lock(&self.memory);
        learned.add(Contents::parse(&lock(&self.queue)).samples);
        *memory = Arc::new(learned);
        Ok(())
    }

    /// The history as it is now, other processes' newest records included.
    pub(crate) fn refreshed(&self) -> Result<Arc<Learned>, Error> {
        self.catch_up();
        self.store.check()?;
        self.reload(&mut self.disk())?;
        // Losing the race to set it is as good.
        if self.loaded.set(()).is_ok() {
            calibrated::observe(lock(&self.memory).samples());
        }
        Ok(Arc::clone(&lock(&self.memory)))
    }

    /// Reads the file again if it has been read.
    pub(crate) fn refresh(&self) -> Result<(), Error> {
        if self.loaded.get().is_none() { Ok(()) } else { self.reload(&mut self.disk()) }
    }

    /// Whether there is a file, as far as is known: making one takes several times what adding to it does.
    pub(crate) fn is_stored(&self) -> bool {
        self.stored.load(Ordering::Relaxed)
    }

    fn disk(&self) -> Using<'_> {
        Using::new(self, lock(&self.disk))
    }

    fn try_disk(&self) -> Option<Using<'_>> {
        try_lock(&self.disk).map(|disk| Using::new(self, disk))
    }

    /// Drops what has been learned, here and on disk. What other processes have in memory stays there.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        let mut disk = self.disk();
        *disk = Disk::default();
        self.stored.store(false, Ordering::Relaxed);
        lock(&self.put_off).clear();
        *lock(&self.memory) = Arc::default();
        lock(&self.queue).clear();
        self.endings.forget();
        self.store.remove(&self.name)
    }

    /// Tells of trouble, unless it has been told. At the end of a thread nobody listens any more.
    pub(crate) fn warn(&self, error: &Error) {
        if writer::is_ending() {
            return;
        }
        let told = if self.concerns_only_this(error) { &self.warned } else { self.store.warned() };
        if !told.swap(true, Ordering::Relaxed) {
            let function = self.identity.site.name;
            tracing::warn!(target: "amorsize", function, "{error} (streams run on without it; this is told once)");
        }
    }

    fn concerns_only_this(&self, error: &Error) -> bool {
        let stem = header::stem(self.name.key);
        error.path().and_then(|path| path.file_stem()).is_some_and(|found| found == stem.as_str())
    }
}
