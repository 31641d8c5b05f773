//! A mail server for tests: takes every mail and keeps it, or refuses as it is told. It speaks just
//! enough SMTP, in plain text, on a port of its own; nothing is delivered.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A mail as it came over the wire, line ends and encodings included.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    /// Answers to the next recipients, instead of 250.
    refusals: VecDeque<String>,
    /// The answer to every sender, instead of 250.
    to_sender: Option<String>,
}

/// Runs until the test's process ends.
#[derive(Clone)]
pub struct FakeSmtp {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FakeSmtp {
    /// Listens on a free port, from a thread of its own. What `refusals` lists (`550 5.1.1 no such
    /// user`) is the answer to the first recipients; whoever comes after is welcome.
    pub fn start(refusals: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let refusals = refusals.iter().map(|answer| (*answer).to_owned()).collect();
        let state = Arc::new(Mutex::new(State { refusals, ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client that goes away mid-sentence is not the test's concern.
                std::thread::spawn(move || drop(talk(stream, &shared)));
            }
        });
        Self { address, state }
    }

    /// `smtp://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on every sender gets this answer (`553 5.7.1 not yours`).
    pub fn answer_senders(&self, answer: &str) {
        self.state.lock().expect("no panic while locked").to_sender = Some(answer.to_owned());
    }

    /// What has come so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().expect("no panic while locked").mails.clone()
    }
}

fn talk(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    let mut mail = Mail { from: String::new(), to: Vec::new(), data: String::new() };
    writeln_crlf(&mut out, "220 fake ESMTP")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-fake\r\n250-AUTH PLAIN\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned(),
            // Nobody has a password here; whoever names one is refused.
            "AUTH" => "535 5.7.8 authentication failed".to_owned(),
            "MAIL" => {
                mail = Mail { from: address(line), to: Vec::new(), data: String::new() };
                let answer = state.lock().expect("no panic while locked").to_sender.clone();
                answer.unwrap_or_else(|| "250 ok".to_owned())
            }
            "RCPT" => recipient(line, &mut mail, state),
            "DATA" => {
                writeln_crlf(&mut out, "354 go on")?;
                mail.data = data(&mut lines)?;
                state.lock().expect("no panic while locked").mails.push(mail.clone());
                "250 kept".to_owned()
            }
            "QUIT" => return writeln_crlf(&mut out, "221 bye"),
            _ => "250 ok".to_owned(),
        };
        writeln_crlf(&mut out, &answer)?;
    }
}

fn recipient(line: &str, mail: &mut Mail, state: &Mutex<State>) -> String {
    if let Some(refusal) = state.lock().expect("no panic while locked").refusals.pop_front() {
        return refusal;
    }
    mail.to.push(address(line));
    "250 ok".to_owned()
}

/// Up to the line that is a dot alone; a doubled dot at a line's begin is one.
fn data(lines: &mut impl BufRead) -> std::io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 || line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address).to_owned()
}

fn writeln_crlf(out: &mut TcpStream, line: &str) -> std::io::Result<()> {
    out.write_all(format!("{line}\r\n").as_bytes())
}
