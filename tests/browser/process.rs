//! Processes of the real binary: the daemon and the demo in the background, commands to their end.

use leadpact::engine::clock::monotonic_now;
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Killed when it is dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The binary with nothing of this process's environment.
fn leadpact(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadpact"));
    command.args(arguments).env_clear();
    command
}

impl Running {
    /// Starts it; all that it says goes into the file.
    pub fn start(arguments: &[&str], log: &Path) -> Self {
        let file = File::create(log).expect("a log file");
        let errors = file.try_clone().expect("the same file");
        let command = leadpact(arguments).stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
        Self { child: command.expect("the binary starts"), log: log.to_owned() }
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it says something of which `find` makes an answer.
    pub async fn until<T>(&mut self, what: &str, find: impl AsyncFn(&str) -> Option<T>) -> T {
        let begun = monotonic_now();
        loop {
            if let Some(found) = find(&self.said()).await {
                return found;
            }
            let is_running = self.child.try_wait().expect("the process is ours").is_none();
            let said = self.said();
            assert!(is_running && begun.elapsed() < Duration::from_secs(60), "it does not happen that {what}: {said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let said = self.said();
            let last: Vec<&str> = said.lines().rev().take(10).collect();
            eprintln!("── what the process said last");
            last.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// Runs a command to its end and answers what it printed.
pub fn run(arguments: &[&str], input: &str) -> String {
    let mut command = leadpact(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut pipe = child.stdin.take().expect("it is piped");
    pipe.write_all(input.as_bytes()).expect("it reads");
    drop(pipe);
    let done = child.wait_with_output().expect("it ends");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{arguments:?}: {said}");
    said
}
