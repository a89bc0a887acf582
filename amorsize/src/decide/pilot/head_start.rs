//! The head start: the first items of a function of which nothing is known are not timed alone but beside a thread. A
//! long first item then delays nobody, and where threads turn out to pay, one of them is awake by then. Where they do
//! not, that is recorded, so waking it in vain is paid for once in a function's life. The same goes for items that
//! earlier runs gave to threads, if it is not sure that these were the best ones. Where no pool runs yet, starting one
//! would take longer than many a run: then somebody looks in [early], and starts it if the first item takes long;
//! unless that somebody would be the first thread of the process, and items are many or own memory. Borrowed items are
//! the affair of a thread that is started for them, since a pool's may not have time for its ticket when the call ends.

use crate::decide::early::{self, HEAD_START};
use crate::decide::input::Remaining;
use crate::decide::situation::Situation;
use crate::decide::timing::Wake;
use crate::decide::trial::Trial;
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
            self.head_start = threads.map(|threads| HeadStart {
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
        let may_wait = is_pinned || self.options.max_blocking_threads.get() >= HEAD_START;
        let has_cores = is_pinned || self.situation.cores >= HEAD_START;
        let is_worth_it = is_pinned || early::is_worth_a_thread(remaining, &self.situation);
        !is_settled && !is_short && has_room && may_wait && has_cores && is_worth_it
    }

    /// Threads that have the first items, the consumer included: as many as earlier runs had, perhaps. With one, it is
    /// up to whoever looks in to start others, among them those that are pinned.
    fn threads_for_first(&self, remaining: Remaining, beside: Beside) -> Option<usize> {
        let is_pinned = self.is_pinned_parallel();
        match beside {
            Beside::Own { .. } if is_pinned => {
                Some(self.options.threads.map_or(HEAD_START, |threads| threads.get().min(FIRST_BLOCKING_THREADS)))
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
        if let Some(HeadStart { wake, pool, threads, help, .. }) = self.head_start.take() {
            self.situation.wake = wake;
            self.helped = (help > Help::Nothing).then_some((pool, threads));
        }
    }

    /// A thread was woken `now` seconds ago: what that costs is no reason against it any more.
    pub(super) fn count_on_woken(&mut self, now: f64) {
        if let Some(HeadStart { wake, threads, help, .. }) = self.head_start
            && (threads > 1 || help > Help::Nothing)
        {
            self.situation.wake = Wake { call: 0.0, latency: (wake.latency - now).max(0.0), ..wake };
        }
    }

    /// A chunk of a head start came back.
    pub(super) fn tried_beside(&mut self, ran: Ran) {
        self.in_flight = self.in_flight.saturating_sub(ran.items as u64);
        if let Some(head_start) = &mut self.head_start {
            let help = if ran.runner == Runner::Thread { Help::Some } else { Help::Nothing };
            head_start.help = head_start.help.max(help);
        }
        self.tally.ran(ran.items, ran.seconds);
        self.saw_first(ran);
    }

    /// Threads took so many items ahead while the first one ran; pulling those took so many seconds.
    pub(crate) fn took_ahead(&mut self, items: usize, seconds: f64) {
        if let Some(head_start) = self.head_start.as_mut().filter(|_| items > 0) {
            head_start.help = Help::Ahead;
            head_start.wake.start = 0.0;
            self.pulled(items, seconds);
        }
    }

    /// The first items were found waiting, and have got so many threads for that.
    pub(crate) fn found_waiting(&mut self, threads: usize) {
        if let Some(head_start) = &mut self.head_start {
            (head_start.pool, head_start.threads) = (Pool::Blocking, threads);
        }
    }

    /// The first items belong to no plan. But where threads ran many of them while the consumer ran one, their results
    /// come out at once: those count with all the time that they took, or not at all if enough follows.
    pub(super) fn skip_first(&mut self, at: Position) {
        if self.head_start.is_some_and(|head_start| head_start.help == Help::Ahead) {
            self.ahead_until = Some(self.done + self.in_flight);
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
        match (self.head_start, self.done, self.in_flight) {
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
            Mode::Trying(trial) if self.head_start.is_some() => Some(self.next_tried(trial).unwrap_or(0)),
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

    /// Whether a thread gets the first items before anything is known.
    pub(crate) fn wakes_first(&self) -> bool {
        self.first_threads() > 1
    }

    /// Whether a thread is started for the next ticket, `since` seconds after the run began, instead of taking one of a
    /// pool: for the first items where that was promised, and from then on while little more is known than they have
    /// shown. A pool's thread, for which the end of the run would wait, is for who is sure to need one.
    pub(crate) fn choose_own_thread(&mut self, since: f64) -> bool {
        let Some(plan) = &self.plan else {
            self.has_own_thread = self.begins_on_own_thread();
            return self.has_own_thread;
        };
        let is_alike = plan.pool == Pool::Cpu && plan.threads <= HEAD_START && !self.has_pinned_threads();
        self.has_own_thread && is_alike && since < UNSURE
    }

    fn begins_on_own_thread(&self) -> bool {
        self.head_start.is_some_and(|head_start| head_start.is_own)
    }

    /// Whether no thread is to be woken yet.
    pub(super) fn begins_alone(&self) -> bool {
        self.plan.is_none() && self.head_start.is_some_and(|head_start| head_start.threads == 1)
    }

    /// Whether no thread is to be woken yet, and none that others have woken has run anything.
    pub(super) fn is_still_alone(&self) -> bool {
        self.begins_alone() && self.head_start.is_some_and(|head_start| head_start.help == Help::Nothing)
    }

    pub(super) fn first_pool(&self) -> Option<Pool> {
        self.head_start.map(|head_start| head_start.pool)
    }

    pub(super) fn first_threads(&self) -> usize {
        self.head_start.map_or(1, |head_start| head_start.threads)
    }

    /// The verdict on a run that was nothing but its first items: threads that have helped, or the plain loop.
    pub(super) fn head_start_or_loop(&self, reason: &'static str) -> Verdict {
        let helps = self.head_start.filter(|head_start| head_start.help > Help::Nothing);
        match helps.map(|HeadStart { pool, threads, .. }| (pool, threads)).or(self.helped) {
            Some((pool, threads)) => Verdict { pool, threads, gain: 1.0, reason: reason.into() },
            None => Verdict::serial(reason),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::decide::pilot::Step;
    use crate::decide::situation::{Owns, Situation};
    use crate::options::Options;

    pub(in super::super) const ITEMS: u64 = 100;

    pub(in super::super) fn left(items: u64) -> Remaining {
        Remaining { lower: items, upper: Some(items) }
    }

    pub(in super::super) fn begun(options: Options, situation: Situation, items: u64) -> Pilot {
        let mut pilot = Pilot::new(options, situation);
        pilot.get_head_start(left(items), Beside::Thread);
        pilot
    }

    fn usual() -> Pilot {
        begun(Options::default(), Situation::TWO_CORES, ITEMS)
    }

    fn at(now: f64, yielded: u64) -> Position {
        Position { now, yielded }
    }

    /// Pulls the first four items, of which the consumer runs the first one in so many seconds.
    fn first_item(pilot: &mut Pilot, seconds: f64) -> Step {
        assert_eq!(pilot.step(at(0.0, 0), left(ITEMS), 1_000), Step::Parallel);
        (0..4).for_each(|_| pilot.pulled(1, 1e-9));
        came_back(pilot, seconds, Runner::Consumer);
        pilot.step(at(seconds, 1), left(ITEMS - 4), 1_000)
    }

    pub(in super::super) fn came_back(pilot: &mut Pilot, seconds: f64, runner: Runner) {
        let clocks = Clocks::All;
        pilot.ran(Ran { items: 1, seconds, clocks, blocked: Some(0.0), result_bytes: 8, runner, ..Ran::default() });
    }

    #[test]
    fn a_long_first_item_is_enough_while_others_are_on_their_way() {
        let mut pilot = usual();
        assert_eq!(first_item(&mut pilot, 1e-3), Step::Parallel);
        let plan = pilot.plan().expect("decided");
        assert_eq!((plan.pool, plan.threads), (Pool::Cpu, 2));
        assert!(plan.expected_speedup > 1.8, "{plan}");
    }

    #[test]
    fn what_was_begun_ends_before_a_plain_loop() {
        let mut pilot = begun(Options::default(), Situation::TWO_CORES, 8);
        assert_eq!(pilot.step(at(0.0, 0), left(8), 1_000), Step::Parallel);
        (0..4).for_each(|_| pilot.pulled(1, 1e-9));
        for item in 1..=4 {
            came_back(&mut pilot, 1.1e-6, Runner::Consumer);
            pilot.step(at(2e-6, item), left(4), 1_000);
        }
        pilot.pulled(1, 1e-9);
        came_back(&mut pilot, 1.1e-6, Runner::Consumer);
        assert!(matches!(pilot.step(at(9e-6, 5), left(3), 1_000), Step::Loop(_)), "three more of a microsecond");
        assert_eq!(pilot.situation.wake, Wake::USUAL, "a thread is asleep again by the next decision");
    }

    #[test]
    fn no_thread_is_woken_for_the_first_of_many_items_that_own_memory() {
        let wakes = |items, owns| {
            let pilot = begun(Options::default(), Situation { owns, ..Situation::TWO_CORES }, items);
            assert!(pilot.head_start.is_some(), "somebody looks in");
            !pilot.begins_alone()
        };
        assert!(wakes(8, Owns::Anything) && wakes(1_000, Owns::Nothing) && !wakes(1_000, Owns::OneBlock));
    }

    #[test]
    fn a_thread_is_started_for_few_items_or_an_unknown_number_and_for_any_where_threads_are_pinned() {
        let begins = |options: &Options, remaining, has_pool| {
            let mut pilot = Pilot::new(options.clone(), Situation::TWO_CORES);
            pilot.get_head_start(remaining, Beside::Own { has_pool });
            assert_eq!(pilot.begins_on_own_thread(), pilot.wakes_first());
            pilot.begins_on_own_thread()
        };
        let usual = Options::default();
        assert!(begins(&usual, left(8), false) && !begins(&usual, left(1_000), true));
        assert!(begins(&usual, Remaining { lower: 0, upper: Some(1_000) }, false));
        assert_eq!([true, false].map(|has_pool| begins(&usual, Remaining::UNKNOWN, has_pool)), [true, false]);
        assert!(begins(&Options { threads: std::num::NonZero::new(2), ..usual }, left(1_000), true));
    }

    #[test]
    fn nobody_looks_in_on_a_source_that_may_have_nothing_more_unless_a_thread_has_what_there_is() {
        let pilot = |options, remaining, beside| {
            let mut pilot = Pilot::new(options, Situation::TWO_CORES);
            pilot.get_head_start(remaining, beside);
            (pilot.wakes_first(), pilot.items_ahead())
        };
        let usual = |remaining, beside| pilot(Options::default(), remaining, beside);
        assert_eq!(usual(left(100), Beside::Thread), (true, 64));
        assert_eq!(usual(Remaining::UNKNOWN, Beside::Thread), (true, 64));
        assert_eq!(usual(left(100), Beside::Lookout), (false, 64));
        assert_eq!(usual(Remaining::UNKNOWN, Beside::Lookout), (false, 0));
        let pinned = Options { threads: std::num::NonZero::new(2), ..Options::default() };
        assert_eq!(pilot(pinned, Remaining::UNKNOWN, Beside::Thread), (false, 0));
    }

    #[test]
    fn what_a_long_first_item_has_shown_is_no_reason_for_a_thread_of_a_pool_yet() {
        let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
        pilot.get_head_start(left(ITEMS), Beside::Own { has_pool: true });
        assert!(pilot.choose_own_thread(0.0));
        first_item(&mut pilot, 1e-3);
        assert_eq!(pilot.plan().map(|plan| plan.threads), Some(2));
        assert_eq!([1e-3, UNSURE].map(|since| pilot.choose_own_thread(since)), [true, false]);
        let mut pilot = usual();
        first_item(&mut pilot, 1e-3);
        assert!(!pilot.choose_own_thread(1e-3), "a pool's thread has them already");
    }

    #[test]
    fn nothing_more_is_pulled_once_enough_is_known() {
        let mut pilot = usual();
        assert_eq!((pilot.window(), pilot.chunk(left(ITEMS))), (4, 1));
        (0..4).for_each(|_| pilot.pulled(1, 1e-9));
        (0..4).for_each(|_| came_back(&mut pilot, 30e-9, Runner::Consumer));
        assert!(pilot.window() > 4);
        pilot.pulled(200, 1e-9);
        pilot.pulled(1, 1e-9);
        let cheap = Ran { items: 200, seconds: 6e-6, result_bytes: 8, ..Ran::default() };
        pilot.ran(cheap);
        assert_eq!(pilot.window(), 0);
        assert_eq!(pilot.step(at(7e-6, 204), left(ITEMS), 1_000), Step::Parallel, "one is on its way");
    }

    #[test]
    fn who_leaves_nothing_to_a_thread_gets_none() {
        let gets = |options, situation, items| begun(options, situation, items).head_start.is_some();
        assert!(gets(Options::default(), Situation::TWO_CORES, 2));
        let alone = Options { max_blocking_threads: NonZeroUsize::MIN, ..Options::default() };
        assert!(!gets(alone, Situation::TWO_CORES, ITEMS), "it may wait");
        assert!(!gets(Options::default(), Situation::TWO_CORES, 1));
        assert!(!gets(Options::default(), Situation { cores: 1, ..Situation::TWO_CORES }, ITEMS));
        assert!(!gets(Options::default(), Situation { item_bytes: 1 << 20, ..Situation::TWO_CORES }, ITEMS));
        let pinned = Options { pool: Some(Pool::Blocking), ..Options::default() };
        let begun = begun(pinned, Situation { cores: 1, ..Situation::TWO_CORES }, ITEMS);
        assert!(begun.begins_alone() && begun.first_pool() == Some(Pool::Blocking), "whoever looks in starts them");
        let settled = Options { estimated_item_time: Some(std::time::Duration::from_micros(1)), ..Options::default() };
        assert!(!gets(settled, Situation::TWO_CORES, ITEMS));
        let one = Options { buffer_size: NonZeroUsize::new(1), ..Options::default() };
        assert!(!gets(one, Situation::TWO_CORES, ITEMS));
    }

    #[test]
    fn an_input_that_ends_during_its_head_start_is_remembered_as_what_it_was() {
        let pool = |runner| {
            let mut pilot = begun(Options::default(), Situation::TWO_CORES, 2);
            pilot.step(at(0.0, 0), left(2), 1_000);
            (0..2).for_each(|_| pilot.pulled(1, 1e-9));
            came_back(&mut pilot, 1e-3, Runner::Consumer);
            came_back(&mut pilot, 1e-3, runner);
            let stretches = pilot.finish(at(1e-3, 2));
            (stretches[0].plan.pool, stretches[0].plan.threads)
        };
        assert_eq!(pool(Runner::Thread), (Pool::Cpu, 2));
        assert_eq!(pool(Runner::Consumer), (Pool::Serial, 1));
    }
}
