//! The first items: timed, and then decided upon.

use crate::decide::climb::Climb;
use crate::decide::costs::{Costs, Spread, blend};
use crate::decide::input::{PLENTY, Remaining};
use crate::decide::trial::Trial;
use crate::decide::verdict::{self, Verdict};
use crate::decide::waiting::FEW_THREADS;
use crate::plan::Pool;

use super::{FIRST_CHUNK, FIRST_STRETCH, Mode, Pilot, Position, Prior, Ran, Step};

/// Ratio of measured and expected item time within which a doubtful prediction is followed.
const BORNE_OUT: f64 = 3.0;
/// Seconds of the plain loop, and bytes, up to which it makes no difference how large the machine is.
const SMALL: f64 = 1e-3;
const SMALL_BYTES: f64 = 1048576.0;
/// Part of the time spent so far that waking a thread may cost without anything to do for it.
const AFFORDABLE: f64 = 0.05;
/// Seconds of an item from which reading clocks around each hardly shows.
const WORTH_RUNNING_FIRST: f64 = 1e-6;
/// Items that a function which waits is expected to get where nothing is known.
const MANY: u64 = 256;

impl Pilot {
    /// Keeps in mind what earlier runs say without much confidence: the trial decides whether to believe it.
    pub(crate) fn consider(&mut self, prior: Prior) {
        self.doubted = Some(Box::new(prior));
    }

    /// What to do next while the first items are timed, if they still are.
    pub(super) fn step_of_trial(&mut self, at: Position, remaining: Remaining, room: usize) -> Option<Step> {
        let Mode::Trying(trial) = &self.mode else { return None };
        let comes_first = self.comes_before_waiting(remaining);
        let remaining = remaining.and(self.in_flight);
        let needs_trial = self.plan.is_some() || !self.needs_no_trial();
        let has_more = room > 0 || (self.head_start.is_some() && self.in_flight > 0);
        let batch = self.next_tried(trial).filter(|_| needs_trial && has_more);
        let is_cheap = needs_trial && self.is_too_cheap_to_know();
        self.count_on_woken(at.now);
        match batch {
            Some(_) if self.head_start.is_some() => return Some(Step::Parallel),
            Some(_) if comes_first => return Some(self.grant(1)),
            Some(batch) => return Some(self.grant(batch.min(room))),
            None if self.wants_look(remaining) => return Some(Step::Look),
            None if self.ends_head_start_first(is_cheap, remaining) => return Some(Step::Parallel),
            None if is_cheap => self.mode = Mode::Calibrating,
            None => self.decide(at, remaining),
        }
        self.end_head_start();
        None
    }

    /// Items of the next batch of a trial; none once enough is known. Where something else tells what they take, each
    /// is one of its own: see [`holds_one`](Self::holds_one).
    pub(super) fn next_tried(&self, trial: &Trial) -> Option<usize> {
        trial.next().map(|items| self.in_one_go(items))
    }

    /// Whether an item that was pulled is run before more is, since there may be nothing more for a long time. Not the
    /// cheapest ones: pulled one by one, those would be thought to take less than the source and the consumer.
    pub(super) fn comes_before_waiting(&self, remaining: Remaining) -> bool {
        remaining.lower == 0 && self.costs.item >= WORTH_RUNNING_FIRST
    }

    /// Items that are run in one go: so many, or one where each is on its own.
    pub(super) fn in_one_go(&self, items: usize) -> usize {
        if self.holds_one() { 1 } else { items }
    }

    /// Whether each of the first results is yielded before the next one is made, as in the plain loop. Blocks that were
    /// held at the same time and are free again make all that follows slower: glibc moves seven of them to where a
    /// thread finds them at once, and back, for each result of more than seven of one size.
    pub(crate) fn holds_one(&self) -> bool {
        self.needs_proof() && !self.is_pinned_parallel()
    }

    /// Whether what the consumer runs now is run as in the plain loop, for the reason that
    /// [`holds_one`](Self::holds_one) has.
    pub(crate) fn is_like_loop(&self) -> bool {
        self.holds_one() && (self.plan.is_none() || self.is_looping())
    }

    fn grant(&mut self, items: usize) -> Step {
        self.granted += items;
        Step::Try(items)
    }

    /// Items that may be in flight now, to be shown.
    pub(crate) fn bound_now(&self) -> usize {
        if self.plan.is_some() { self.window() } else { self.most_held() }
    }

    /// Most items that may have been held before the first plan.
    pub(super) fn most_held(&self) -> usize {
        self.granted.max((self.done + self.in_flight) as usize)
    }

    /// A trial batch, pulled in `source` seconds.
    pub(crate) fn tried(&mut self, source: f64, ran: Ran) {
        self.costs.source = source / ran.items as f64;
        self.spent += source;
        if let Mode::Trying(trial) = &mut self.mode {
            trial.pulled(source);
        }
        self.saw_first(ran);
    }

    pub(super) fn saw_first(&mut self, ran: Ran) {
        let enough_below = if self.holds_one() { self.loop_tells_below() } else { 0.0 };
        let blocked = self.waits.outside(ran, self.situation.processors);
        let Mode::Trying(trial) = &mut self.mode else { return };
        trial.observe(ran.items, ran.seconds, ran.clocks, blocked);
        trial.end_below(enough_below);
        self.spread.add(ran.items, ran.each());
        self.costs.item = trial.item_time();
        self.costs.result_bytes = blend(self.costs.result_bytes, self.bytes(ran), 0.5);
        self.costs.spread = self.spread.coefficient();
        if let Some(blocked) = blocked {
            self.costs.blocked = blocked;
        }
        self.done += ran.items as u64;
        self.spent += ran.seconds;
    }

    /// Whether it takes a look at the machine to decide: not where the rest is expected to be over soon, and hardly
    /// pays for threads. Of an input of unknown length the plain loop asks again while it goes on.
    pub(super) fn wants_look(&self, remaining: Remaining) -> bool {
        self.situation.is_guess && {
            let verdict = self.verdict(remaining);
            verdict.pool != Pool::Serial || !self.is_small(&self.costs, remaining.expected(self.done))
        }
    }

    /// Whether a recommendation for what remains has to be made again after a look at the machine.
    pub(crate) fn is_guess(&self, prior: &Prior, remaining: Remaining) -> bool {
        let items = remaining.exact().unwrap_or(prior.items);
        self.situation.is_guess && (prior.verdict.pool != Pool::Serial || !self.is_small(&prior.costs, items))
    }

    /// Whether so many items take next to no time and room.
    fn is_small(&self, costs: &Costs, items: u64) -> bool {
        let (items, bytes) = (items as f64, self.situation.bytes_each(costs));
        items * costs.serial() <= SMALL && items * bytes <= SMALL_BYTES
    }

    pub(super) fn try_again(&mut self) {
        self.chunk_limit = 1;
        self.stretch = FIRST_STRETCH;
        self.mode = Mode::Trying(Trial::new(self.options.sample_size));
    }

    /// Chooses between the plain loop and threads with what is known now.
    pub(super) fn decide(&mut self, at: Position, remaining: Remaining) {
        let expected = remaining.expected(self.done);
        self.spread = Spread::default();
        if matches!(self.mode, Mode::Trying(_) | Mode::Calibrating) {
            let first = (FIRST_CHUNK / self.costs.item.max(1e-9)) as usize;
            self.chunk_limit = self.chunk_limit.max(first);
            self.skip_first(at);
        }
        if let Some(prior) = self.doubted.take().filter(|prior| is_like(self.costs.item, prior.costs.item)) {
            let items = remaining.exact().unwrap_or(prior.items.max(expected));
            self.chunk_limit = self.chunk_limit.max(prior.chunk_size);
            return self.follow(*prior, self.origin(), items, at);
        }
        let items = remaining.upper.unwrap_or(PLENTY);
        let verdict = self.verdict(remaining);
        let verdict = verdict::beginning(verdict, &self.costs, items, &self.options, self.situation.wake);
        if verdict.threads <= FEW_THREADS && !self.is_too_cheap_to_know() {
            // So much is known of items by now. Many threads would begin with so much more that is not; and cheap items
            // are most easily disturbed, which shows once a chunk comes back.
            self.chunk_limit = self.chunk_limit.max(2 * self.done as usize);
        }
        self.settle(verdict, self.origin(), expected, at);
        self.begin_climb();
    }

    /// Lets the threads that begin become more, if they are watched.
    pub(super) fn begin_climb(&mut self) {
        let climb = Climb::new(self.threads(), self.costs.item);
        self.computing.iter_mut().for_each(|threads| threads.climb = Some(climb.clone()));
    }

    /// What suits the rest. Whether threads pay is asked for the items that are expected. How many is another question:
    /// where the end is not known, those that find nothing to do are never woken.
    pub(super) fn verdict(&self, remaining: Remaining) -> Verdict {
        let reach = |items| verdict::reach(&self.costs, items, &self.options, &self.situation);
        let verdict = reach(self.worth_sharing(remaining));
        let verdict = match (verdict.pool, remaining.exact()) {
            (Pool::Cpu, None) => reach(remaining.upper.unwrap_or(PLENTY)),
            _ => verdict,
        };
        if self.is_pinned_parallel() {
            return verdict;
        }
        verdict::if_worth_the_risk(verdict, &self.costs, remaining.expected(self.done), &self.situation)
    }

    /// Items to choose threads for. Where it is open how many there are, threads are tried as soon as it costs next to
    /// nothing if there turn out to be no items for them.
    pub(super) fn worth_sharing(&self, remaining: Remaining) -> u64 {
        let expected = remaining.expected(self.done);
        let most = remaining.upper.unwrap_or(u64::MAX);
        let wake = self.situation.wake;
        match remaining.exact() {
            Some(_) => expected,
            None if wake.start + wake.call <= AFFORDABLE * self.spent => PLENTY.min(most),
            None if verdict::is_blocking(&self.costs, &self.options) => expected.max(MANY).min(most),
            None => expected,
        }
    }
}

/// Whether a trial bears out the item time that was expected.
fn is_like(measured: f64, expected: f64) -> bool {
    (1.0 / BORNE_OUT..BORNE_OUT).contains(&(measured / expected))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::decide::observed::{Clocks, Looped, Made, Runner};
    use crate::decide::situation::{Owns, Situation};
    use crate::decide::timing::Wake;
    use crate::options::Options;

    const GUESSED: Situation = Situation { is_guess: true, ..Situation::TWO_CORES };

    const LARGE: Situation = Situation { cores: 64, is_guess: false, ..GUESSED };

    pub(in super::super) fn exactly(left: u64) -> Remaining {
        Remaining { lower: left, upper: Some(left) }
    }

    /// What follows on a trial of items that take so many seconds.
    fn after_trial(each: f64, left: u64) -> Step {
        lead(&mut Pilot::new(Options::default(), GUESSED), each, exactly(left))
    }

    /// Tries items of so many seconds each; what follows on that.
    pub(in super::super) fn lead(pilot: &mut Pilot, each: f64, remaining: Remaining) -> Step {
        tries(pilot, each, remaining).1
    }

    /// Tries items of so many seconds each; in batches of how many, and what follows on that.
    fn tries(pilot: &mut Pilot, each: f64, remaining: Remaining) -> (Vec<usize>, Step) {
        let mut batches = Vec::new();
        loop {
            match pilot.step(Position::default(), remaining, usize::MAX) {
                Step::Try(items) => {
                    batches.push(items);
                    pilot.tried(0.0, batch(each, items));
                }
                step => return (batches, step),
            }
        }
    }

    fn batch(each: f64, items: usize) -> Ran {
        Ran { items, seconds: each * items as f64, blocked: Some(0.0), result_bytes: 8, ..Ran::default() }
    }

    #[test]
    fn the_machine_is_looked_at_unless_the_rest_is_over_before_that() {
        assert!(matches!(after_trial(1e-6, 10), Step::Loop(_)));
        assert!(matches!(after_trial(100e-9, 1_000), Step::Loop(_)));
        assert_eq!(after_trial(100e-9, 1_000_000), Step::Look);
        assert_eq!(after_trial(100e-6, 9), Step::Look, "threads may pay");
        let open = |each| lead(&mut Pilot::new(Options::default(), GUESSED), each, Remaining::UNKNOWN);
        assert!(matches!(open(1e-6), Step::Loop(_)), "it may be over soon");
        assert_eq!(open(1e-3), Step::Look);
    }

    #[test]
    fn an_input_of_unknown_length_that_goes_on_is_worth_a_look_and_the_window_is_what_that_leaves() {
        let mut pilot = Pilot::new(Options::default(), GUESSED);
        assert!(matches!(lead(&mut pilot, 1e-6, Remaining::UNKNOWN), Step::Loop(_)));
        let promised = pilot.plan().expect("a plain loop").buffer_size;
        let looks = (1..100).any(|stretch| {
            let (items, now) = (100, stretch as f64 * 100e-6);
            pilot.looped(Looped { items, seconds: 100e-6 }, Position { now, yielded: pilot.done }, Remaining::UNKNOWN);
            pilot.step(Position::default(), Remaining::UNKNOWN, usize::MAX) == Step::Look
        });
        assert!(looks);
        pilot.saw_machine(Situation { available_memory: 80_000, is_guess: false, ..GUESSED });
        let next = |pilot: &mut Pilot| pilot.step(Position::default(), Remaining::UNKNOWN, usize::MAX);
        assert!((1..100).any(|_| {
            let at = Position { now: 20e-3, yielded: pilot.done };
            pilot.looped(Looped { items: 1_000, seconds: 1e-3 }, at, Remaining::UNKNOWN);
            next(&mut pilot) == Step::Parallel
        }));
        let window = pilot.plan().expect("threads").buffer_size;
        assert!(window <= 1_000 && window < promised, "{window} of {promised}: a tenth of the memory");
    }

    #[test]
    fn what_a_source_may_have_nothing_after_is_run_before_more_is_pulled() {
        let batches =
            |remaining, each| tries(&mut Pilot::new(Options::default(), Situation::TWO_CORES), each, remaining).0;
        assert!(batches(Remaining::UNKNOWN, 2e-6).iter().all(|&items| items == 1));
        assert_eq!(batches(Remaining::UNKNOWN, 100e-9)[..3], [1, 1, 3], "what reading clocks takes would show");
        assert_eq!(batches(exactly(1_000), 2e-6)[..3], [1, 1, 3]);
    }

    #[test]
    fn first_results_that_own_memory_are_made_one_by_one_unless_threads_are_pinned() {
        let tried = |owns, options: Options| {
            let mut pilot = Pilot::new(options, Situation { owns, ..Situation::TWO_CORES });
            let (batches, _) = tries(&mut pilot, 100e-9, exactly(1_000));
            (batches, matches!(pilot.mode, Mode::Calibrating))
        };
        assert_eq!(tried(Owns::Anything, Options::default()), (vec![1; 5], true));
        assert_eq!(tried(Owns::Nothing, Options::default()).0[..3], [1, 1, 3], "none is missed");
        let pinned = Options { pool: Some(Pool::Cpu), ..Options::default() };
        assert!(tried(Owns::Anything, pinned).0[2] > 1);
    }

    #[test]
    fn a_run_that_ends_as_its_plan_is_made_is_remembered_by_its_first_items() {
        let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
        assert!(matches!(lead(&mut pilot, 1e-6, Remaining { lower: 0, upper: Some(9) }), Step::Loop(_)));
        let tried = pilot.done;
        assert!(pilot.plan().is_some() && tried > 0);
        let at = Position { now: 1e-6 * tried as f64, yielded: tried };
        let [stretch] = &pilot.finish(at)[..] else { panic!() };
        assert_eq!((stretch.items, stretch.plan.pool), (tried, Pool::Serial));
    }

    #[test]
    fn a_plain_loop_shows_what_its_items_took_and_not_what_they_were_thought_to_take() {
        let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
        assert!(matches!(lead(&mut pilot, 100e-9, exactly(100)), Step::Loop(_)));
        pilot.looped(Looped { items: 20, seconds: 2e-6 }, Position { now: 4e-6, yielded: 40 }, exactly(860));
        let items = 900 - pilot.done as usize;
        pilot.looped(Looped { items, seconds: 1e-3 * items as f64 }, Position { now: 0.9, yielded: 900 }, exactly(0));
        let shown = pilot.item_time(true);
        assert!((0.9e-3..=1e-3).contains(&shown) && pilot.item_time(false) < 1e-6, "{shown}");
    }

    #[test]
    fn a_run_that_is_not_worth_starting_threads_says_what_it_lost_by_that() {
        let start = |start, options| {
            let wake = Wake { start, ..Wake::USUAL };
            let mut pilot = Pilot::new(options, Situation { wake, ..Situation::TWO_CORES });
            let step = lead(&mut pilot, 5e-6, exactly(60));
            (step, pilot)
        };
        let (step, mut pilot) = start(400e-6, Options::default());
        assert!(matches!(step, Step::Loop(_)));
        pilot.looped(Looped { items: 60, seconds: 300e-6 }, Position { now: 325e-6, yielded: 65 }, exactly(0));
        assert!((60e-6..160e-6).contains(&pilot.forgone()), "{}", pilot.forgone());
        assert_eq!(start(0.0, Options::default()).0, Step::Parallel);
        let (_, pilot) = start(400e-6, Options { pool: Some(Pool::Serial), ..Options::default() });
        assert_eq!(pilot.forgone(), 0.0, "nobody wants threads");
    }

    /// What comes of items of a millisecond in which the caller's thread was blocked and the process busy, and what
    /// threads find when they run some.
    #[test]
    fn a_function_that_shares_its_own_work_is_not_taken_for_one_that_waits_and_one_that_waits_beside_others_is() {
        let blocked = |blocked, busy, runner| Ran {
            items: 1,
            seconds: 1e-3,
            clocks: Clocks::All,
            blocked: Some(blocked),
            busy,
            result_bytes: 8,
            runner,
            ..Ran::default()
        };
        let begun_with = |options, busy| {
            let mut pilot = Pilot::new(options, Situation::TWO_CORES);
            while let Step::Try(_) = pilot.step(Position::default(), exactly(1_000), usize::MAX) {
                pilot.tried(0.0, blocked(0.99, busy, Runner::Consumer));
            }
            pilot
        };
        let begun = |busy| begun_with(Options::default(), busy);
        let pool = |pilot: &Pilot| pilot.plan().map(crate::plan::Plan::pool);
        assert_eq!(pool(&begun(0.9)), Some(Pool::Blocking), "more than half of the processors are idle");
        let found_with = |options, shares: &[f64]| {
            let mut pilot = begun_with(options, 1.9);
            assert_eq!((pool(&pilot), pilot.clocks()), (Some(Pool::Cpu), Clocks::All));
            assert!(pilot.waits.is_open());
            for &share in shares {
                pilot.pulled(2, 1e-9);
                pilot.ran(blocked(0.99, 1.9, Runner::Consumer));
                pilot.ran(blocked(share, 1.9, Runner::Thread));
                let at = Position { now: 3e-3, yielded: 3 };
                pilot.check(at, Made { results: 3, worked: 3e-3, ..Made::default() }, exactly(1_000));
            }
            (pool(&pilot).unwrap(), pilot)
        };
        let found = |shares| {
            let (pool, pilot) = found_with(Options::default(), shares);
            let is_open = pilot.waits.is_open();
            assert!(pilot.clocks() == Clocks::All || !(is_open || pool == Pool::Blocking), "{pool}");
            (pool, is_open)
        };
        assert_eq!(found(&[0.9, 0.05, 0.9, 0.9, 0.9]), (Pool::Cpu, false), "it computes");
        assert_eq!(found(&[0.99, 0.99]), (Pool::Cpu, true), "that may be by chance");
        assert_eq!(found(&[0.99, 0.99, 0.99]), (Pool::Blocking, false), "it waits");
        let alone = Options { max_blocking_threads: std::num::NonZeroUsize::MIN, ..Options::default() };
        let (_, pilot) = found_with(alone, &[0.99, 0.99, 0.99]);
        assert!(matches!(pilot.mode, Mode::Draining(_)), "a plain loop begins when nothing is in flight");
    }

    #[test]
    fn threads_that_wait_are_not_given_up_because_starting_them_keeps_processors_busy() {
        let waiting = |blocked, busy, runner| Ran {
            items: 1,
            seconds: 1e-3,
            clocks: Clocks::All,
            blocked: Some(blocked),
            busy,
            runner,
            ..Ran::default()
        };
        let mut pilot = Pilot::new(Options::default(), Situation::TWO_CORES);
        while let Step::Try(_) = pilot.step(Position::default(), exactly(1_000), usize::MAX) {
            pilot.tried(0.0, waiting(0.99, 0.1, Runner::Consumer));
        }
        let mut is_given_up_after = |blocked| {
            pilot.pulled(1, 1e-9);
            pilot.ran(waiting(blocked, 1.9, Runner::Thread));
            let made = Made { results: 2, worked: 2e-3, ..Made::default() };
            pilot.check(Position { now: 2e-3, yielded: 2 }, made, exactly(1_000));
            matches!(pilot.mode, Mode::Draining(_))
        };
        assert!(!is_given_up_after(0.99) && !is_given_up_after(0.99), "it may be that, and threads are to tell");
        assert!(is_given_up_after(0.02), "they compute");
    }

    #[test]
    fn where_the_end_is_not_known_threads_start_once_it_costs_nothing_and_then_all_of_them() {
        let mut pilot = Pilot::new(Options::default(), LARGE);
        assert!(matches!(lead(&mut pilot, 20e-6, Remaining::UNKNOWN), Step::Loop(_)), "two more are expected");
        let mut pilot = Pilot::new(Options::default(), LARGE);
        assert_eq!(lead(&mut pilot, 20e-3, Remaining::UNKNOWN), Step::Parallel);
        assert_eq!(pilot.threads(), 64 / 4, "the first of all of them");
        let mut pilot = Pilot::new(Options::default(), LARGE);
        assert_eq!(lead(&mut pilot, 20e-3, exactly(5)), Step::Parallel);
        assert_eq!(pilot.threads(), 5);
    }
}
