//! Functions that no row of the matrix has, in runs of three lengths, against nothing but the plain loop: what the
//! library was not tuned to. Everybody follows a lap of the loop that is not timed, as in the matrix.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use amorsize::Tuner;
use anyhow::{Context as _, Result};
use regex::Regex;

use crate::contenders::fresh;
use crate::stats::median;
use crate::work::spin;

/// Seconds of a run in the plain loop, and how often each is repeated.
const RUNS: [(f64, usize); 3] = [(0.3e-3, 40), (3e-3, 40), (30e-3, 15)];
/// Runs after which a function is known.
const KNOWN: usize = 3;
/// Seconds of the plain loop that tell how long an item takes.
const CALIBRATION: f64 = 4e-3;
const MOST_ITEMS: usize = 1 << 23;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only functions whose name matches this regular expression.
    #[arg(default_value = "")]
    only: Regex,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Loop,
    For,
    Fold,
    KnownFor,
    Run,
}

const WAYS: [(Way, &str); 4] = [(Way::For, "for"), (Way::Fold, "fold"), (Way::KnownFor, "for/w"), (Way::Run, "run")];

/// Prints a line for each function and length.
pub(crate) fn run(options: &Options) -> Result<()> {
    let only = &options.only;
    rayon::join(|| (), || ());
    LazyLock::force(&TREE);
    let numbers = |items: usize| 0..items as u64;
    let texts = |words| move |items| owned((0..items as u64).map(|seed| text(seed, words)));
    measure(only, "levenshtein", numbers, levenshtein, |&distance| distance);
    measure(only, "collatz", numbers, collatz, |&steps| steps);
    measure(only, "prime", numbers, |number| least_factor(number + 1_000_000), |&factor| factor);
    measure(only, "btree", numbers, |key| TREE.range(mix(key)..).next().map_or(0, |(_, &value)| value), |&value| value);
    measure(only, "locked memo", numbers, memo, |&value| value);
    measure(only, "lock", numbers, |number| held(number, 7_500), |&value| value);
    measure(only, "long lock", numbers, |number| held(number, 30_000), |&value| value);
    measure(only, "counter", numbers, |number| counted(number, 4_000), |&value| value);
    measure(only, "long counter", numbers, |number| counted(number, 60_000), |&value| value);
    measure(only, "sometimes", numbers, sometimes, |&value| value);
    measure(only, "rarely dear", numbers, rarely_dear, |&value| value);
    measure(only, "busy reader", numbers, |number| spin(number, 250), |&value| spin(value, 250));
    measure(only, "read lock", numbers, looked_up, |&value| value);
    measure(only, "16 KB results", numbers, page, |page| u64::from(page[77]));
    measure(
        only,
        "format",
        numbers,
        |number| format!("{:?}", (number, "text", Some(number as f64), [1u8; 3])),
        |text| text.len() as u64,
    );
    measure(only, "keyed", numbers, |number| (format!("key {number}"), spin(number, 250)), |(_, value)| *value);
    measure(only, "results", numbers, fallible, |result| result.as_ref().map_or(1, |value| **value));
    measure(only, "2 KB results", numbers, product, |product| product[17] as u64);
    measure(only, "compress", numbers, compress, |offsets| offsets.len() as u64);
    measure(only, "contains", texts(8), |text: String| text.contains("the"), |&found| u64::from(found));
    measure(only, "upper", texts(16), |text: String| text.to_uppercase(), |text| text.len() as u64);
    measure(only, "words", texts(30), words, |words| words.len() as u64);
    measure(only, "floats", lines, floats, |numbers| numbers.iter().sum::<f64>() as u64);
    measure(only, "sort", lists, sorted, |numbers| u64::from(numbers[7]));
    measure(
        only,
        "4 KB items",
        pages,
        |page: [u8; 4096]| page.iter().map(|&byte| u64::from(byte)).sum(),
        |&sum: &u64| sum,
    );
    let files = source_files()?;
    let paths = move |items| owned(files.iter().cloned().cycle().take(items));
    measure(
        only,
        "read file",
        paths,
        |path: PathBuf| fs::read(path).map(|bytes| bytes.len()),
        |read| read.as_ref().map_or(0, |&bytes| bytes as u64),
    );
    Ok(())
}

/// One function: `source` makes so many items, `read` is the consumer's part.
fn measure<S, T, F>(only: &Regex, name: &'static str, source: impl Fn(usize) -> S, work: F, read: fn(&T) -> u64)
where
    S: Iterator<Item: Send + 'static> + Send,
    T: Send + 'static,
    F: Fn(S::Item) -> T + Copy + Send + Sync + 'static,
{
    if !only.is_match(name) {
        return;
    }
    let lap = |way, name, items| {
        let items = source(items);
        let begin = Instant::now();
        black_box(run_in(way, name, items, work, read));
        begin.elapsed().as_secs_f64()
    };
    let sizes = std::iter::successors(Some(16), |items| Some(2 * items));
    let (items, seconds) = sizes
        .map(|items| (items, lap(Way::Loop, name, items)))
        .find(|&(items, seconds)| seconds >= CALIBRATION || items >= MOST_ITEMS)
        .expect("it grows");
    for (length, rounds) in RUNS {
        let items = ((length / seconds * items as f64) as usize).max(4);
        let known = fresh(name);
        (0..KNOWN).for_each(|_| _ = lap(Way::KnownFor, known, items));
        let timed = |way| {
            lap(Way::Loop, known, items);
            lap(way, known, items)
        };
        let mut ratios = [(); WAYS.len()].map(|()| Vec::new());
        let mut loops = Vec::new();
        for round in 0..rounds {
            let before = timed(Way::Loop);
            let mut laps = [0.0; WAYS.len()];
            (0..WAYS.len())
                .map(|place| (place + round) % WAYS.len())
                .for_each(|place| laps[place] = timed(WAYS[place].0));
            let plain = (before + timed(Way::Loop)) / 2.0;
            loops.push(plain);
            ratios.iter_mut().zip(laps).for_each(|(ratios, lap)| ratios.push(plain / lap));
        }
        let plain = median(&loops);
        print!("{name:>12} {items:>8} items of {:>8.1} ns, {:>6.0} us:", plain / items as f64 * 1e9, plain * 1e6);
        WAYS.iter().zip(ratios).for_each(|((_, name), ratios)| print!("  {name} {:.2}", median(&ratios)));
        println!();
    }
}

fn run_in<S, T, F>(way: Way, known: &'static str, items: S, work: F, read: fn(&T) -> u64) -> u64
where
    S: Iterator<Item: Send + 'static> + Send,
    T: Send + 'static,
    F: Fn(S::Item) -> T + Copy + Send + Sync + 'static,
{
    let add = |sum: u64, result: T| sum.wrapping_add(read(&result));
    match way {
        Way::Loop => drain(items.map(work), add),
        Way::For => drain(Tuner::new(fresh(known), work).stream(items), add),
        Way::KnownFor => drain(Tuner::new(known, work).stream(items), add),
        Way::Fold => Tuner::new(fresh(known), work).stream(items).fold(0, add),
        Way::Run => {
            let effect = move |item| _ = black_box(read(&work(item)));
            Tuner::new(fresh(known), effect).run(items).items_out()
        }
    }
}

fn drain<T>(results: impl Iterator<Item = T>, add: impl Fn(u64, T) -> u64) -> u64 {
    let mut sum = 0;
    for result in results {
        sum = add(sum, result);
    }
    sum
}

fn mix(number: u64) -> u64 {
    spin(number.wrapping_mul(0x9E37_79B9_7F4A_7C15), 2)
}

/// Items that exist before the run.
fn owned<T>(items: impl Iterator<Item = T>) -> std::vec::IntoIter<T> {
    items.collect::<Vec<_>>().into_iter()
}

fn text(seed: u64, words: u64) -> String {
    let letter = |place: u64| char::from(b'a' + (mix(seed % 997 * 1_000 + place) % 26) as u8);
    let word = |number: u64| (0..2 + mix(number) % 7).map(move |place| letter(10 * number + place));
    (0..words).flat_map(|number| word(number).chain([' '])).collect()
}

fn lines(items: usize) -> std::vec::IntoIter<String> {
    let numbers = |seed: u64| (0..8).map(|place| format!("{:.3}", mix(seed + place) as f64 / 1e15)).collect::<Vec<_>>();
    owned((0..items as u64).map(|seed| numbers(seed).join(",")))
}

fn lists(items: usize) -> std::vec::IntoIter<Vec<u32>> {
    owned((0..items as u64).map(|seed| (0..200).map(|place| mix(1_000 * seed + place) as u32).collect()))
}

fn pages(items: usize) -> std::vec::IntoIter<[u8; 4096]> {
    owned((0..items).map(|item| [item as u8; 4096]))
}

fn source_files() -> Result<Vec<PathBuf>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(paths.filter(|path| path.is_file()).collect())
}

static TREE: LazyLock<BTreeMap<u64, u64>> = LazyLock::new(|| (0..400_000).map(|value| (mix(value), value)).collect());
static MEMO: LazyLock<Mutex<HashMap<u64, u64>>> = LazyLock::new(Mutex::default);

/// Cheap once all is known, and always under a lock.
fn memo(number: u64) -> u64 {
    let key = mix(number) % 1_000;
    let mut memo = MEMO.lock().unwrap_or_else(PoisonError::into_inner);
    *memo.entry(key).or_insert_with(|| spin(key, 2_000))
}

static HELD: Mutex<u64> = Mutex::new(0);

/// All of an item under a lock, which a thread often keeps from one to the next.
fn held(number: u64, steps: u32) -> u64 {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    *held = spin(number, steps);
    *held
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// An item that counts all of its steps where everybody does.
fn counted(number: u64, steps: u64) -> u64 {
    (0..steps).fold(number, |sum, _| sum ^ COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// One in fifty waits.
fn sometimes(number: u64) -> u64 {
    if number % 50 == 49 {
        thread::sleep(Duration::from_micros(500));
    }
    spin(number, 2_000)
}

/// One in a thousand takes as long as two thousand others.
fn rarely_dear(number: u64) -> u64 {
    spin(number, if number % 1_000 == 999 { 60_000 } else { 30 })
}

static LOOKED_UP: LazyLock<RwLock<HashMap<u64, u64>>> = LazyLock::new(|| RwLock::new((0..1_000).zip(0..).collect()));

/// Whoever only reads counts in, and out again, where everybody does.
fn looked_up(number: u64) -> u64 {
    LOOKED_UP.read().unwrap_or_else(PoisonError::into_inner).get(&(mix(number) % 1_000)).copied().unwrap_or(0)
}

fn page(seed: u64) -> [u8; 16 << 10] {
    std::array::from_fn(|place| (seed ^ place as u64) as u8)
}

fn levenshtein(number: u64) -> u64 {
    let (from, to) = (mix(number).to_le_bytes(), mix(number + 1).to_le_bytes());
    let mut costs: [u64; 9] = std::array::from_fn(|place| place as u64);
    for (row, left) in from.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut costs[0], row as u64 + 1);
        for (column, right) in to.iter().enumerate() {
            let exchanged = diagonal + u64::from(left & 7 != right & 7);
            diagonal = costs[column + 1];
            costs[column + 1] = exchanged.min(costs[column] + 1).min(diagonal + 1);
        }
    }
    costs[8]
}

fn collatz(number: u64) -> u64 {
    let next = |&number: &u64| (number != 1).then(|| if number % 2 == 0 { number / 2 } else { 3 * number + 1 });
    std::iter::successors(Some(77 * number + 1), next).count() as u64
}

fn least_factor(number: u64) -> u64 {
    (2..).take_while(|factor| factor * factor <= number).find(|&factor| number.is_multiple_of(factor)).unwrap_or(number)
}

fn fallible(number: u64) -> Result<Box<u64>, Box<dyn Error + Send + Sync>> {
    if number.is_multiple_of(7) { Err(format!("bad {number}").into()) } else { Ok(Box::new(spin(number, 30))) }
}

fn product(seed: u64) -> [f64; 256] {
    let matrix: [f64; 256] = std::array::from_fn(|place| (seed + place as u64) as f64);
    std::array::from_fn(|place| (0..16).map(|k| matrix[place / 16 * 16 + k] * matrix[16 * k + place % 16]).sum())
}

/// How far back the same four bytes were, for each place.
fn compress(seed: u64) -> Vec<u32> {
    let data: Vec<u8> = (0..4096).map(|place| (mix(seed ^ (place / 5)) % 11) as u8).collect();
    let mut last = vec![0u32; 16 << 10];
    let mut offsets = Vec::new();
    for (place, window) in (0u32..).zip(data.windows(4)) {
        let hash = window.iter().fold(0, |hash, &byte| 31 * hash + usize::from(byte)) % last.len();
        let before = std::mem::replace(&mut last[hash], place);
        if before != 0 {
            offsets.push(place - before);
        }
    }
    offsets
}

fn words(text: String) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    text.split(' ').for_each(|word| *words.entry(word.to_owned()).or_default() += 1);
    words
}

fn floats(line: String) -> Vec<f64> {
    line.split(',').filter_map(|number| number.parse().ok()).collect()
}

fn sorted(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers
}
