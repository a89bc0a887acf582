//! Functions that wait, against `par_bridge`: sleeps, a loopback server, sleeps in a busy process; and what must not be
//! taken for one that waits: one that computes on a busy machine, and one that shares its own work among rayon's
//! threads. Cold, no option given.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use amorsize::{Report, Tuner};
use anyhow::Result;
use rayon::iter::{IntoParallelIterator, ParallelBridge, ParallelIterator};

use crate::busy::Busy;
use crate::contenders::fresh;
use crate::work::{Pace, spin};

const ROUNDS: usize = 3;
const BUSY_THREADS: usize = 6;
const FEW: usize = 20;
/// What the server takes before it answers.
const ANSWER: Duration = Duration::from_millis(5);

/// Prints all.
pub(crate) fn run() -> Result<()> {
    for (items, time) in [(2_000, Duration::from_millis(1)), (500, Duration::from_millis(10))] {
        let sleep = move |item: usize| {
            thread::sleep(time);
            item
        };
        against_bridge(&format!("{items} items that sleep {time:?}"), items, sleep);
    }
    for time in [Duration::from_millis(3), Duration::from_millis(50)] {
        against_loop(time);
    }
    let server = serve()?;
    against_bridge("500 requests to a server that answers after 5ms", 500, move |_| request(server).unwrap_or(0));
    let pace = Pace::measure();
    beside_busy_threads(BUSY_THREADS, 1_000, "400µs of computing", {
        let steps = pace.steps(400e3);
        move |item| spin(item as u64, steps) as usize
    });
    beside_busy_threads(2, 200, "sleeping 5 ms", |item| {
        thread::sleep(Duration::from_millis(5));
        item
    });
    beside_busy_threads(0, 200, "computing on all of rayon's threads", {
        let steps = pace.steps(200e3);
        move |item| (0..16).into_par_iter().map(|part| spin((item + part) as u64, steps) as usize & 1).sum()
    });
    Ok(())
}

fn against_bridge(what: &str, items: usize, work: impl Fn(usize) -> usize + Copy + Send + Sync + 'static) {
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        black_box((0..items).par_bridge().map(work).sum::<usize>());
        let bridge = begin.elapsed();
        let (known, report) = stream(0..items, work);
        let (hidden, _) = stream((0..items).filter(|_| true), work);
        let times = [known, hidden].map(|time| bridge.as_secs_f64() / time.as_secs_f64());
        println!("{what}: {:.1} times par_bridge, of unknown length {:.1}; {report}", times[0], times[1]);
    }
}

/// Few items that wait, of a function that is new each time: most of what the first one takes would be all of it.
fn against_loop(time: Duration) {
    for _ in 0..ROUNDS {
        let sleep = move |_| thread::sleep(time);
        let begin = Instant::now();
        (0..FEW).for_each(sleep);
        let plain = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        Tuner::new(fresh("few"), sleep).stream(0..FEW).for_each(drop);
        let gain = plain / begin.elapsed().as_secs_f64();
        println!("{FEW} items that sleep {time:?}, in the first run of the function: {gain:.1} times the plain loop");
    }
}

/// A run that nothing is known about.
fn stream<R: Send + 'static>(
    items: impl Iterator<Item = usize>,
    work: impl Fn(usize) -> R + Copy + Send + Sync + 'static,
) -> (Duration, Report) {
    let tuner = Tuner::new("blocking", work).ml_prediction(false).online_learning(false);
    let begin = Instant::now();
    let mut stream = tuner.stream(items);
    stream.by_ref().for_each(|result| _ = black_box(result));
    (begin.elapsed(), stream.report())
}

/// Starts a server on a free port; a thread for each request, until the program ends.
fn serve() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || answer(connection));
        }
    });
    Ok(address)
}

fn answer(mut connection: TcpStream) -> std::io::Result<()> {
    connection.read_exact(&mut [0; 1])?;
    thread::sleep(ANSWER);
    connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

fn request(server: SocketAddr) -> std::io::Result<usize> {
    let mut connection = TcpStream::connect(server)?;
    connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut response = Vec::new();
    connection.read_to_end(&mut response)?;
    Ok(response.len())
}

/// What a function gains over the plain loop in a process that has so many busy threads.
fn beside_busy_threads(
    busy: usize,
    items: usize,
    what: &str,
    work: impl Fn(usize) -> usize + Copy + Send + Sync + 'static,
) {
    let _busy = Busy::start(busy);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        (0..items).for_each(|item| _ = black_box(work(item)));
        let plain = begin.elapsed().as_secs_f64();
        let (time, report) = stream(0..items, work);
        let gain = plain / time.as_secs_f64();
        println!("{what} beside {busy} busy threads: {gain:.2} times the plain loop; {report}");
    }
}
