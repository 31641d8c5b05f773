//! A throwaway PostgreSQL for tests: one server per test binary, a database per test, gone when the
//! binary ends however it ends. Tests alone turn `fsync` off.

use leadpact::engine::clock::monotonic_now;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A running server. Its socket lies in its own folder; it listens on no port.
pub struct Server {
    folder: PathBuf,
    /// Stops the server and removes the folder once its standard input is closed, that is when this
    /// process ends.
    _keeper: Child,
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of a new, empty database. `None`: PostgreSQL is not installed, and this is not CI.
pub async fn fresh_database() -> Option<String> {
    let server = SERVER.get_or_init(start).as_ref()?;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(&server.url("postgres")).await.expect("the server answers");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.expect("a new database");
    admin.close().await.ok();
    Some(server.url(&name))
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }
}

fn start() -> Option<Server> {
    let (Some(initdb), Some(postgres)) = (program("initdb"), program("postgres")) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "PostgreSQL is not installed, but CI needs it");
        eprintln!("skipped: PostgreSQL is not installed");
        return None;
    };
    let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a folder").keep();
    let user = unprivileged(&folder);
    let data = folder.join("data");
    let made = as_user(user, &initdb)
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
        .arg(&data)
        .current_dir(&folder)
        .output()
        .expect("initdb starts");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let keeper = keep(as_user(user, &postgres), &folder, &data);
    Some(Server { folder, _keeper: keeper })
}

/// Runs the server below a shell that outlives this process just long enough to tidy up.
fn keep(server: Command, folder: &Path, data: &Path) -> Child {
    const SCRIPT: &str = r#"folder=$1; shift; "$@" </dev/null & read -r _; kill -INT $!; wait $!; rm -rf "$folder""#;
    let mut keeper = Command::new("sh")
        .args(["-c", SCRIPT, "keeper"])
        .arg(folder)
        .arg(server.get_program())
        .args(server.get_args())
        .arg("-D")
        .arg(data)
        .arg("-k")
        .arg(folder)
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"])
        .args(["-c", "max_connections=200", "-c", "shared_buffers=32MB"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    wait_until_ready(&mut keeper);
    keeper
}

fn wait_until_ready(keeper: &mut Child) {
    let mut log = BufReader::new(keeper.stderr.take().expect("stderr is piped"));
    let begun = monotonic_now();
    let mut seen = String::new();
    while !seen.contains("ready to accept connections") {
        let read = log.read_line(&mut seen).expect("the server's log");
        assert!(read > 0 && begun.elapsed() < Duration::from_secs(60), "PostgreSQL does not start: {seen}");
    }
    // Whoever stops reading blocks the server once the pipe is full.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
}

/// PostgreSQL refuses to run as root: who runs it then, now owning the folder.
fn unprivileged(folder: &Path) -> Option<(u32, u32)> {
    let owner = std::fs::metadata(folder).expect("the folder is there");
    if owner.uid() != 0 {
        return None;
    }
    let user = ["postgres", "nobody"].iter().find_map(|name| Some((id("-u", name)?, id("-g", name)?)));
    let (uid, gid) = user.expect("a user that is not root");
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("the folder opens");
    chown(folder, Some(uid), Some(gid)).expect("root may give a folder away");
    Some((uid, gid))
}

fn id(flag: &str, name: &str) -> Option<u32> {
    let answer = Command::new("id").args([flag, name]).output().ok()?;
    String::from_utf8(answer.stdout).ok()?.trim().parse().ok()
}

fn as_user(user: Option<(u32, u32)>, program: &Path) -> Command {
    let Some((uid, gid)) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".into()]).arg(program);
    command
}

/// From `PATH`, or the newest where Debian keeps them.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    in_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        versions.flatten().map(|version| version.path().join("bin").join(name)).filter(|file| file.is_file()).max()
    })
}
