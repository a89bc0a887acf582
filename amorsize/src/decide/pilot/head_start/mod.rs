//! The head start: the first items of a function of which nothing is known are not timed alone but beside a thread. A
//! long first item then delays nobody, and where threads turn out to pay, one of them is awake by then. Where they do
//! not, that is recorded, so waking it in vain is paid for once in a function's life. The same goes for items that
//! earlier runs gave to threads, if it is not sure that these were the best ones. Where no pool runs yet, starting one
//! would take longer than many a run: then somebody looks in [early], and starts it if the first item takes long;
//! unless that somebody would be the first thread of the process, and items are many or own memory. Borrowed items are
//! the affair of a thread that is started for them, since a pool's may not have time for its ticket when the call ends.

use std::num::NonZeroUsize;

use crate::decide::early::{self, HEAD_START};
use crate::decide::input::Remaining;
use crate::decide::situation::Situation;
use crate::decide::timing::Wake;
use crate::decide::trial::{Singles, Trial};
use crate::decide::verdict::{FIRST_BLOCKING_THREADS, Verdict};
use crate::plan::Pool;

use super::{Beside, Clocks, Mode, Pilot, Position, Ran, Runner};

/// Seconds for which a plan may rest on an item that was interrupted.
const UNSURE: f64 = 5e-3;

/// What threads have run of the first items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Help {
    Nothing,
    /// Some of the first items.
    Some,
    /// Some of the first items, while the consumer ran the very first one.
    Ahead,
}

/// What threads have to do with the first items.
#[derive(Debug, Default)]
pub(super) struct First {
    /// While the first items run beside a thread.
    pub(super) head_start: Option<HeadStart>,
    /// Where threads ran some of the first items, and how many threads, once the head start is over.
    helped: Option<(Pool, usize)>,
    /// A thread was started for the first items.
    has_own_thread: bool,
    /// Items that threads were given while the consumer ran the first one, until all of them are out.
    pub(super) ahead_until: Option<u64>,
    /// Those that were over before any thread had begun, and for what part of its time the last of them was blocked,
    /// where that was looked at.
    pub(super) alone: Singles,
    pub(super) blocked: Option<f32>,
}

impl First {
    /// Takes in what was over before any thread had begun.
    pub(super) fn saw_alone(&mut self, ran: &Ran) {
        self.alone.add(ran.each());
        self.blocked = ran.blocked.map(|blocked| blocked as f32).or(self.blocked);
    }
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadStart {
    pool: Pool,
    /// Threads, the consumer included.
    threads: usize,
    /// A thread is started for the first items.
    is_own: bool,
    /// What waking a thread takes at other times.
    wake: Wake,
    help: Help,
}

impl HeadStart {
    /// Takes over what is left to be spent first, after a look at the machine.
    pub(super) fn saw_machine(&mut self, situation: &Situation) {
        self.wake.start = situation.wake.start;
    }
}

impl Pilot {
    /// Where nothing speaks against threads, and some can be had, the first items get them. Where nothing is pulled
    /// ahead, who only looks in has nothing to do.
    pub(crate) fn get_head_start(&mut self, remaining: Remaining, beside: Beside) {
        if self.may_share_first(remaining) {
            let has_thread = matches!(beside, Beside::Thread | Beside::Own { has_pool: true });
            let threads = self.threads_for_first(remaining, beside);
            let threads = threads.filter(|&threads| !remaining.is_unknown() || (has_thread && threads > 1));
            self.first.head_start = threads.map(|threads| HeadStart {
                pool: self.options.pool.unwrap_or(Pool::Cpu),
                threads,
                is_own: matches!(beside, Beside::Own { .. }),
                wake: self.situation.wake,
                help: Help::Nothing,
            });
        }
    }

    /// Whether the first items may be run by others.
    fn may_share_first(&self, remaining: Remaining) -> bool {
        let is_settled = self.needs_no_trial() || self.plan.is_some();
        let is_short = remaining.upper.is_some_and(|upper| upper < HEAD_START as u64);
        let has_room = self.trial_bound() >= HEAD_START && self.situation.fits_threads();
        let is_pinned = self.is_pinned_parallel();
        let may_wait = self.most_first() >= HEAD_START;
        let has_cores = is_pinned || self.situation.cores >= HEAD_START;
        let is_worth_it = is_pinned || early::is_worth_a_thread(remaining, &self.situation);
        !is_settled && !is_short && has_room && may_wait && has_cores && is_worth_it
    }

    /// Most threads that may have first items, of which nobody knows whether they wait: what is stated of threads, or of
    /// those that compute, is meant.
    fn most_first(&self) -> usize {
        let is_meant = self.options.threads.is_some() || self.options.pool == Some(Pool::Cpu);
        if is_meant { usize::MAX } else { self.options.max_blocking_threads.get() }
    }

    /// Threads that have the first items, the consumer included: as many as earlier runs had, perhaps. With one, it is
    /// up to whoever looks in to start others, among them those that are pinned.
    fn threads_for_first(&self, remaining: Remaining, beside: Beside) -> Option<usize> {
        let is_pinned = self.is_pinned_parallel();
        match beside {
            Beside::Own { .. } if is_pinned => {
                let threads = self.options.threads.map_or(HEAD_START, NonZeroUsize::get);
                Some(threads.min(FIRST_BLOCKING_THREADS).min(self.most_first()))
            }
            Beside::Own { .. } => early::is_worth_starting(remaining, &self.situation).then_some(HEAD_START),
            Beside::Thread if !is_pinned && early::is_worth_waking(remaining, &self.situation) => {
                let doubted = self.doubted.as_ref().map_or(HEAD_START, |prior| prior.verdict.threads);
                let most = self.situation.cores.min(self.options.max_blocking_threads.get());
                Some(doubted.clamp(HEAD_START, most))
            }
            Beside::Thread | Beside::Lookout => Some(1),
            Beside::Nobody => None,
        }
    }

    /// Lets the first items run alone after all, unless some are in flight.
    pub(crate) fn waive_head_start(&mut self) {
        if self.in_flight == 0 {
            self.end_head_start();
        }
    }

    /// Ends the head start: a plan goes on from here.
    pub(super) fn end_head_start(&mut self) {
        if let Some(HeadStart { wake, pool, threads, help, .. }) = self.first.head_start.take() {
            self.situation.wake = wake;
            self.first.helped = (help > Help::Nothing).then_some((pool, threads));
        }
    }

    /// A thread was woken `now` seconds ago: what that costs is no reason against it any more.
    pub(super) fn count_on_woken(&mut self, now: f64) {
        if let Some(HeadStart { wake, .. }) = self.first.head_start.filter(|_| self.shares_first()) {
            self.situation.wake = Wake { call: 0.0, latency: (wake.latency - now).max(0.0), ..wake };
        }
    }

    /// A chunk of a head start came back.
    pub(super) fn tried_beside(&mut self, ran: Ran) {
        self.in_flight = self.in_flight.saturating_sub(ran.items as u64);
        if let Some(head_start) = &mut self.first.head_start {
            let help = if ran.runner == Runner::Thread { Help::Some } else { Help::Nothing };
            head_start.help = head_start.help.max(help);
        }
        if ran.is_undisturbed {
            self.first.saw_alone(&ran);
        }
        self.tally.ran(ran.items, ran.seconds);
        self.saw_first(ran);
    }

    /// Threads took so many items ahead while the first one ran; pulling those took so many seconds.
    pub(crate) fn took_ahead(&mut self, items: usize, seconds: f64) {
        if let Some(head_start) = self.first.head_start.as_mut().filter(|_| items > 0) {
            head_start.help = Help::Ahead;
            head_start.wake.start = 0.0;
            self.pulled(items, seconds);
        }
    }

    /// The first items were found waiting, and have got so many threads for that.
    pub(crate) fn found_waiting(&mut self, threads: usize) {
        if let Some(head_start) = &mut self.first.head_start {
            (head_start.pool, head_start.threads) = (Pool::Blocking, threads);
        }
    }

    /// The first items belong to no plan. But where threads ran many of them while the consumer ran one, their results
    /// come out at once: those count with all the time that they took, or not at all if enough follows.
    pub(super) fn skip_first(&mut self, at: Position) {
        if self.first.head_start.is_some_and(|head_start| head_start.help == Help::Ahead) {
            self.first.ahead_until = Some(self.done + self.in_flight);
        } else {
            self.tally.skip(at);
        }
    }

    /// Whether chunks that were begun end before a plain loop can take over.
    pub(super) fn ends_head_start_first(&self, is_cheap: bool, remaining: Remaining) -> bool {
        self.in_flight > 0 && (is_cheap || self.verdict(remaining).pool == Pool::Serial)
    }

    /// The clocks for the next of the first items. Those of a head start are handed over before anything is known: one
    /// of them tells whether the function waits, if the first one cannot.
    pub(super) fn first_clocks(&self, trial: &Trial) -> Clocks {
        match (self.first.head_start, self.done, self.in_flight) {
            (Some(_), 0, 1) => Clocks::All,
            (Some(_), 0, 2..) => Clocks::Wall,
            // One was enough to know.
            (Some(_), 1.., _) if !trial.is_open() => Clocks::Wall,
            _ => trial.clocks(),
        }
    }

    /// Items of the next chunk of a head start; none once enough is known.
    pub(super) fn first_items(&self) -> Option<usize> {
        match &self.mode {
            Mode::Trying(trial) if self.first.head_start.is_some() => Some(self.next_tried(trial).unwrap_or(0)),
            _ => None,
        }
    }

    /// Items of a head start that may be in flight: a chunk for each thread, and two that wait.
    pub(super) fn first_window(&self) -> usize {
        let chunks = self.first_threads() + HEAD_START;
        self.first_items().map_or(0, |items| chunks.saturating_mul(items).min(self.trial_bound()))
    }

    /// Whether a thread is about to tell if the function waits: what the consumer ran meanwhile would keep it from
    /// acting on that.
    pub(super) fn is_about_to_know(&self) -> bool {
        self.wakes_first() && matches!(&self.mode, Mode::Trying(trial) if trial.is_open())
    }

    /// Whether threads have, or may have had, some of the first items.
    pub(super) fn shares_first(&self) -> bool {
        self.first.head_start.is_some_and(|HeadStart { threads, help, .. }| threads > 1 || help > Help::Nothing)
    }

    /// Whether a thread gets the first items before anything is known.
    pub(crate) fn wakes_first(&self) -> bool {
        self.first_threads() > 1
    }

    /// Whether a thread is started for the next ticket, `since` seconds after the run began, instead of taking one of a
    /// pool: for the first items where that was promised, and from then on while little more is known than they have
    /// shown. A pool's thread, for which the end of the run would wait, is for who is sure to need one.
    pub(crate) fn choose_own_thread(&mut self, since: f64) -> bool {
        let Some(plan) = &self.plan else {
            self.first.has_own_thread = self.begins_on_own_thread();
            return self.first.has_own_thread;
        };
        let is_alike = plan.pool == Pool::Cpu && plan.threads <= HEAD_START && !self.has_pinned_threads();
        self.first.has_own_thread && is_alike && since < UNSURE
    }

    fn begins_on_own_thread(&self) -> bool {
        self.first.head_start.is_some_and(|head_start| head_start.is_own)
    }

    /// Whether no thread is to be woken yet.
    pub(super) fn begins_alone(&self) -> bool {
        self.plan.is_none() && self.first.head_start.is_some_and(|head_start| head_start.threads == 1)
    }

    /// Whether no thread is to be woken yet, and none that others have woken has run anything.
    pub(super) fn is_still_alone(&self) -> bool {
        self.begins_alone() && self.first.head_start.is_some_and(|head_start| head_start.help == Help::Nothing)
    }

    pub(super) fn first_pool(&self) -> Option<Pool> {
        self.first.head_start.map(|head_start| head_start.pool)
    }

    pub(super) fn first_threads(&self) -> usize {
        self.first.head_start.map_or(1, |head_start| head_start.threads)
    }

    /// The verdict on a run that was nothing but its first items: threads that have helped, or the plain loop.
    pub(super) fn head_start_or_loop(&self, reason: &'static str) -> Verdict {
        let helps = self.first.head_start.filter(|head_start| head_start.help > Help::Nothing);
        match helps.map(|HeadStart { pool, threads, .. }| (pool, threads)).or(self.first.helped) {
            Some((pool, threads)) => Verdict { pool, threads, gain: 1.0, reason: reason.into() },
            None => Verdict::serial(reason),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
