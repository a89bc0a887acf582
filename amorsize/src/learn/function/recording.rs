//! What a run taught, on its way to memory and to the disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::error::Error;
use crate::learn::codec;
use crate::learn::directory::PATIENCE;
use crate::learn::disk::Disk;
use crate::learn::learned::Learned;
use crate::learn::machines::{self, NOT_YET_KNOWN};
use crate::learn::pace;
use crate::learn::sample::Sample;
use crate::learn::store::Batch;
use crate::learn::writer;
use crate::sync::lock;

use super::Function;

/// Bytes that wait for a disk that does not take them; what is recorded beyond that only this process learns from. Room
/// for twice as many runs as are recorded however short they are, which may all come before the writer does.
const MOST_QUEUED: usize = 256 << 10;

/// Records of runs that start no thread, until some are written in one go, and whole seconds that the first of them
/// waits for another one.
const MOST_PUT_OFF: usize = 32;
const LONGEST_PUT_OFF: u64 = 2;

impl Function {
    /// Learns from a run that took so long in all, and sees to it that it is written: now, where that is a hundredth of
    /// the run at most, or very soon. Nothing that cannot be true is recorded.
    pub(crate) fn record(self: &Arc<Self>, samples: Vec<Sample>, run: Duration) {
        if self.takes_in(samples, run) {
            self.see_to(run);
        }
    }

    /// Learns from a run that started no thread, and whose record none is started for either: what is not written now
    /// is written with others, or at the end of this thread.
    pub(crate) fn record_here(self: &Arc<Self>, samples: Vec<Sample>, run: Duration) {
        if !self.takes_in(samples, run) {
            return;
        }
        writer::will_be_told();
        let is_quick = machines::id_if_known() != NOT_YET_KNOWN && writer::is_quick(self, run);
        if is_quick || pace::worth_knowing_the_machine(run) || self.has_put_off_enough() {
            // Even where nothing can be written: what waits is bounded, and what is known is thinned out.
            self.catch_up();
            if self.writing.allows() {
                writer::settle_here(self);
            }
        }
    }

    /// Whether it is time to take in, and write, what runs have put off for which nobody else does.
    fn has_put_off_enough(&self) -> bool {
        let put_off = lock(&self.put_off);
        let times = put_off.first().zip(put_off.last()).map(|(first, last)| (first.time, last.time));
        let waits = times.is_some_and(|(first, last)| last.saturating_sub(first) >= LONGEST_PUT_OFF);
        waits || put_off.len() >= MOST_PUT_OFF
    }

    /// Drops what is redundant in memory, if there is too much and nobody uses the file.
    pub(crate) fn lighten(&self) {
        if self.is_crowded()
            && let Some(disk) = self.try_disk()
        {
            self.prune_memory(&disk);
        }
    }

    fn takes_in(&self, samples: Vec<Sample>, run: Duration) -> bool {
        if !self.pace.worth(run) {
            return false;
        }
        self.leave_to_parent();
        lock(&self.put_off).extend(samples);
        self.store.try_out_once().unwrap_or_else(|error| self.warn(&error));
        true
    }

    fn see_to(self: &Arc<Self>, run: Duration) {
        if machines::id_if_known() == NOT_YET_KNOWN && !pace::worth_knowing_the_machine(run) {
            writer::settle_later(self);
            return;
        }
        if !pace::worth_learning_at_once(run) && writer::will_be_told() {
            if self.writing.allows() {
                writer::settle_later(self);
            } else if self.has_put_off_enough() {
                self.catch_up();
            }
            return;
        }
        // Somebody else may take in what was recorded here, and would not see to it that it is written.
        self.catch_up();
        if self.writing.allows() {
            writer::settle(self, run);
        }
    }

    /// Takes in what was put off.
    pub(super) fn catch_up(&self) {
        if lock(&self.put_off).is_empty() {
            return;
        }
        // Under no lock: whoever listens to what is wrong with the environment may ask for this history.
        let here = machines::this().id;
        let mut put_off = lock(&self.put_off);
        let unknown = put_off.iter_mut().filter(|sample| sample.machine == NOT_YET_KNOWN);
        unknown.for_each(|sample| sample.machine = here);
        self.remember(&std::mem::take(&mut *put_off));
        drop(put_off);
        // Whoever writes sees to that as well; but where nobody can, memory would grow as long as the process lives.
        if self.writing.is_failing() {
            self.lighten();
        }
    }

    /// Whether the writer has to be told that there is something to write.
    pub(crate) fn became_due(&self) -> bool {
        !self.due.swap(true, Ordering::AcqRel)
    }

    /// Notes that the writer looks now: what is recorded from here on is to be told again.
    pub(crate) fn clear_due(&self) {
        self.due.store(false, Ordering::Release);
    }

    /// Adds to memory and queue what can be true.
    fn remember(&self, samples: &[Sample]) {
        let samples: Vec<Sample> = samples.iter().filter_map(|sample| codec::rounded(sample).ok()).collect();
        if samples.is_empty() {
            return;
        }
        let mut memory = lock(&self.memory);
        let mut queue = lock(&self.queue);
        if queue.len() < MOST_QUEUED {
            samples.iter().for_each(|sample| codec::add_sample(&mut queue, sample));
        }
        Arc::make_mut(&mut memory).add(samples);
    }

    /// Drops what was recorded before this process was forked, if it was: that is the parent's to write.
    fn leave_to_parent(&self) {
        let here = std::process::id();
        if self.process.swap(here, Ordering::Relaxed) != here {
            lock(&self.put_off).clear();
            lock(&self.queue).clear();
        }
    }

    /// Whether nothing was recorded in this process since it was forked.
    pub(crate) fn is_left_to_parent(&self) -> bool {
        self.process.load(Ordering::Relaxed) != std::process::id()
    }

    /// Adds one sample and waits until it is on disk.
    pub(crate) fn record_now(&self, sample: &Sample) -> Result<(), Error> {
        self.leave_to_parent();
        self.catch_up();
        let sample = codec::rounded(sample)?;
        // What waits may have filled the queue.
        let has_room = lock(&self.queue).len() < MOST_QUEUED;
        let made_room = if has_room { Ok(()) } else { self.drain() };
        self.remember(&[sample]);
        made_room.and_then(|()| self.drain())
    }

    /// Writes what is queued, if nobody else uses the file or the directory; whether there is nothing left to do.
    pub(crate) fn try_drain(&self) -> Result<bool, Error> {
        self.catch_up();
        let Some(mut disk) = self.try_disk() else { return Ok(false) };
        let written = match self.write(&mut disk, Duration::ZERO) {
            Err(Error::Busy { .. }) => return Ok(false),
            written => written,
        };
        let done = !disk.surplus && !disk.crowded && !self.is_crowded();
        drop(disk);
        // Who found the file in use meanwhile has left it to us to see to what it queued.
        written.map(|()| done && lock(&self.queue).is_empty())
    }

    /// Writes what is queued, waiting for others if need be, also for whoever writes it now; then does what else is to
    /// be done.
    pub(crate) fn drain(&self) -> Result<(), Error> {
        if self.is_left_to_parent() {
            return Ok(());
        }
        self.catch_up();
        let mut disk = self.disk();
        let written = self.write(&mut disk, PATIENCE);
        self.prune_memory(&disk);
        written.and_then(|()| self.clean_up(&mut disk))
    }

    /// Drops what is redundant, if there is too much. Learning anew takes a while, and is not done under the lock; what
    /// is recorded meanwhile is added after it. Who uses the `_disk` is the only one to do this.
    fn prune_memory(&self, _disk: &Disk) {
        let before = Arc::clone(&lock(&self.memory));
        if !before.is_crowded() {
            return;
        }
        let mut pruned = Learned::clone(&before);
        pruned.prune_if_crowded();
        let mut memory = lock(&self.memory);
        pruned.add(memory.samples()[before.samples().len()..].to_vec());
        *memory = Arc::new(pruned);
    }

    fn is_crowded(&self) -> bool {
        lock(&self.memory).is_crowded()
    }

    fn write(&self, disk: &mut Disk, patience: Duration) -> Result<(), Error> {
        // What is being written stays in the queue until it is: others add behind it, within the bound. Only who uses
        // the disk takes anything out.
        let samples = lock(&self.queue).clone();
        if samples.is_empty() {
            return Ok(());
        }
        let batch = Batch { machine: machines::frame(), machine_known: disk.describes_this(), samples: &samples };
        match self.store.append(&self.name, batch, patience) {
            Ok(aftermath) => {
                lock(&self.queue).drain(..samples.len());
                self.writing.worked();
                self.stored.store(true, Ordering::Relaxed);
                disk.note(&aftermath);
                disk.trouble.extend(aftermath.damage);
                Ok(())
            }
            Err(error) => {
                self.writing.failed();
                Err(error)
            }
        }
    }

    fn clean_up(&self, disk: &mut Disk) -> Result<(), Error> {
        if std::mem::take(&mut disk.crowded) {
            disk.trouble.extend(self.store.prune(&self.name)?);
        }
        if std::mem::take(&mut disk.surplus) { self.store.tidy() } else { Ok(()) }
    }

    /// Makes it look as if everything so far had been recorded by another process.
    #[cfg(test)]
    pub(crate) fn pretend_to_be_forked(&self) {
        self.process.store(0, Ordering::Relaxed);
    }

    /// Bytes that wait to be written.
    #[cfg(test)]
    pub(crate) fn queued(&self) -> usize {
        lock(&self.queue).len()
    }
}
