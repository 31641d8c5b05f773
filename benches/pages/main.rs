//! How quickly the pages answer over a million open leads: a SQLite file is seeded, the real web floor and
//! the real workers run over it in this process, CRMs send events, and four clients ask for every page and
//! every list of the API at once. Run: `cargo bench --bench pages [-- LEADS [FILE]]`; a file that is there
//! is used again. Prints p50, p95 and the longest of each. How leads are made is in `lead`, how they are
//! stored in `seed`, what is at work in `house`, what is asked in `asked`.

mod asked;
mod house;
mod lead;
mod seed;

use asked::Page;
use house::House;
use leadpact::engine::clock::monotonic_now;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Each page is asked for so often by each of the clients.
const TIMES: usize = 15;
const CLIENTS: usize = 4;
/// What CRMs send in a second.
const EVENTS: u32 = 20;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let leads: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let file = words.next().unwrap_or_else(|| folder.path().join("pages.db").display().to_string());
    if std::env::var_os(SEEDING).is_some() {
        return runtime().block_on(seed::seed(&file, leads));
    }
    if !Path::new(&file).exists() {
        seed_elsewhere(leads, &file);
    }
    let only = words.next();
    let runtime = runtime();
    runtime.block_on(measure(&file, leads, only.as_deref()));
    // Figures are still being made in the background, and a runtime that ends under them would panic.
    std::process::exit(0);
}

const SEEDING: &str = "LEADPACT_BENCH_SEEDING";

/// In a process of its own, so that what seeding takes is not in the memory that is measured.
fn seed_elsewhere(leads: usize, file: &str) {
    let began = monotonic_now();
    let me = std::env::current_exe().expect("this program");
    let made = std::process::Command::new(me).args([&leads.to_string(), file]).env(SEEDING, "1").status();
    assert!(made.is_ok_and(|status| status.success()), "the database could not be seeded");
    println!("seeded in {:?}", began.elapsed());
}

/// As `leadpact serve` has it.
fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

async fn measure(file: &str, leads: usize, only: Option<&str>) {
    let size = std::fs::metadata(file).map_or(0, |file| file.len());
    println!("{leads} open leads, a database of {} MiB; memory in use at the start: {}", size >> 20, memory("VmRSS:"));
    let house = Arc::new(House::open(file).await);
    first_pages(&house).await;
    house.work();
    let sending = tokio::spawn(house.clone().send(EVENTS));
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("{:<64} {:>9} {:>9} {:>9}", "page", "p50", "p95", "longest");
    let pages = asked::pages(&house, leads).await;
    let mut slow = 0;
    for page in pages.iter().filter(|page| only.is_none_or(|only| page.name.contains(only))) {
        let taken = each(&house, page).await;
        let at = |share: f64| taken[((taken.len() - 1) as f64 * share).round() as usize].0;
        let is_slow = at(0.95) >= Duration::from_millis(100);
        slow += usize::from(is_slow);
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
        let (longest, path) = &taken[taken.len() - 1];
        let mark = if is_slow { format!(" <- slow, {path} the most") } else { String::new() };
        println!("{:<64} {:>9} {:>9} {:>9}{mark}", page.name, ms(at(0.5)), ms(at(0.95)), ms(*longest));
    }
    if only.is_none() {
        all_at_once(&house, &pages).await;
    }
    sending.abort();
    println!("{slow} pages are slower than 100 ms at p95; the most memory that was in use: {}", memory("VmHWM:"));
}

/// What whoever comes first after a start waits for.
async fn first_pages(house: &House) {
    for path in ["/", "/risk", "/waterfall", "/deliveries", "/journal", "/health"] {
        let began = monotonic_now();
        house.get(path).await;
        println!("first {path:<14} after the start: {:.1} ms", began.elapsed().as_secs_f64() * 1000.0);
    }
}

/// How long each answer took and what was asked for, the shortest first.
async fn each(house: &Arc<House>, page: &Page) -> Vec<(Duration, String)> {
    let client = |client: usize| {
        let (house, paths) = (house.clone(), page.paths.clone());
        tokio::spawn(async move {
            let mut taken = Vec::with_capacity(TIMES);
            for n in 0..TIMES {
                let path = &paths[(n * CLIENTS + client) % paths.len()];
                let began = monotonic_now();
                house.get(path).await;
                taken.push((began.elapsed(), path.clone()));
            }
            taken
        })
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    let mut taken = Vec::new();
    for client in clients {
        taken.extend(client.await.expect("a client"));
    }
    taken.sort();
    taken
}

/// Every page at the same time, for what that takes of memory.
async fn all_at_once(house: &Arc<House>, pages: &[Page]) {
    let began = monotonic_now();
    let paths = pages.iter().flat_map(|page| page.paths.iter().take(2)).cloned();
    let asked: Vec<_> = paths
        .map(|path| {
            let house = house.clone();
            tokio::spawn(async move { house.get(&path).await })
        })
        .collect();
    let count = asked.len();
    for answer in asked {
        answer.await.expect("an answer");
    }
    println!("{count} pages at once: {:?}; memory in use afterwards: {}", began.elapsed(), memory("VmRSS:"));
}

/// What the system tells of this process's memory, where it does.
fn memory(line: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|l| l.strip_prefix(line)).unwrap_or("unknown").trim().to_owned()
}
