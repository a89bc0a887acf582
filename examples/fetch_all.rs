//! Fetches many URLs, in order, with more requests under way than there are cores.
//!
//! Shows a function that waits: nothing tells the library so, it notices. Without arguments the URLs are those of a
//! small server that this program starts itself and that takes 5 ms for an answer. With arguments it fetches those
//! (`http` only).
//!
//!     cargo run --release --example fetch_all
//!     cargo run --release --example fetch_all -- http://example.com http://example.org

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

const REQUESTS: usize = 500;
/// Requests made one by one, to know what that would cost.
const ONE_BY_ONE: usize = 40;
const SERVER_DELAY: Duration = Duration::from_millis(5);

#[amorsize::streaming]
fn fetch(url: String) -> Result<String> {
    let page = ureq::get(&url).call().and_then(|mut answer| answer.body_mut().read_to_string());
    page.with_context(|| format!("cannot fetch `{url}`"))
}

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let urls = if given.is_empty() { urls_of(serve()?) } else { given };

    let began = Instant::now();
    let some = urls.iter().take(ONE_BY_ONE);
    let fetched: Vec<String> = some.cloned().map(fetch).collect::<Result<_>>()?;
    let singly = fetched.len() as f64 / began.elapsed().as_secs_f64();

    let mut pages = fetch::stream(urls);
    let mut bytes = 0;
    for page in pages.by_ref() {
        bytes += page?.len();
    }
    let report = pages.report();
    println!("{bytes} bytes of {} pages", report.items_out());
    println!("one by one: {singly:.0} pages a second");
    let streamed = report.throughput();
    println!("stream:     {streamed:.0} pages a second, {:.1} times as many", streamed / singly);
    println!("plan:       {}", report.plan().expect("something was fetched"));
    Ok(())
}

fn urls_of(server: SocketAddr) -> Vec<String> {
    (0..REQUESTS).map(|page| format!("http://{server}/page/{page}")).collect()
}

/// Starts a server of one thread a connection, which ends with the program.
fn serve() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || answer(connection));
        }
    });
    Ok(address)
}

/// Reads a request up to its empty line, and answers with its first one.
fn answer(mut connection: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    thread::sleep(SERVER_DELAY);
    let length = request.len();
    write!(connection, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{request}")
}
