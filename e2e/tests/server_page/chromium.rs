//! Debian's Chromium without a screen, driven by its own driver.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::FutureExt;
use lenses_mcp_e2e::cluster::{Program, install_missing, require_root};
use serde_json::{Value, json};
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel, prelude::*};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    sync::Mutex,
};

/// A name of this machine that is not `localhost`, to the browser.
pub(crate) const OTHER_NAME: &str = "mcp.test";

const PROGRAMS: [Program; 3] = [
    Program { command: "chromium", package: "chromium" },
    Program { command: "chromedriver", package: "chromium-driver" },
    Program {
        command: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        package: "fonts-dejavu-core",
    },
];
/// Far more than anything takes on a slow machine.
const LIMIT: Duration = Duration::from_mins(1);
const HEIGHT: u32 = 900;

/// A browser with one page.
pub(crate) struct Browser {
    driver: WebDriver,
}

/// Runs `body` with a browser of its own, which is gone afterwards whether `body` passes or panics.
/// One at a time: each wants a core.
pub(crate) async fn browse(body: impl AsyncFnOnce(&Browser)) {
    static ONE: Mutex<()> = Mutex::const_new(());
    let _one = ONE.lock().await;
    // Past the test harness, which keeps what a test prints.
    let say = |line: &str| {
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    install_missing(&PROGRAMS, &say).unwrap();
    // reqwest is built without a TLS provider of its own.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let (_process, _output, port) = start_driver().await;
    let driver = WebDriver::builder(format!("http://127.0.0.1:{port}"), capabilities())
        .request_timeout(LIMIT)
        .await;
    let driver = driver.unwrap();
    let browser = Browser { driver };
    let ended = AssertUnwindSafe(body(&browser)).catch_unwind().await;
    browser.driver.quit().await.unwrap();
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// `chromedriver` on a port of its choice. Its output is kept open: it may write more.
async fn start_driver() -> (Child, BufReader<ChildStdout>, u16) {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let announced = async {
        let mut line = String::new();
        while output.read_line(&mut line).await.unwrap() > 0 {
            if let Some((_, port)) = line.trim_end().split_once("started successfully on port ") {
                return port.trim_end_matches('.').parse().unwrap();
            }
            line.clear();
        }
        panic!("chromedriver ended without naming its port");
    };
    let port = tokio::time::timeout(LIMIT, announced).await.unwrap();
    (process, output, port)
}

fn capabilities() -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    let mut arguments = vec![
        "--headless".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--force-device-scale-factor=1".to_owned(),
        format!("--window-size=1280,{HEIGHT}"),
        // Nothing leaves this machine, whatever the browser would like to look up.
        format!(
            "--host-resolver-rules=MAP {OTHER_NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        ),
    ];
    if require_root().is_ok() {
        // Chromium's sandbox does not start as root.
        arguments.push("--no-sandbox".to_owned());
    }
    for argument in arguments {
        capabilities.add_arg(&argument).unwrap();
    }
    capabilities.set_logging_prefs("browser", LoggingPrefsLogLevel::All).unwrap();
    capabilities.set_logging_prefs("performance", LoggingPrefsLogLevel::All).unwrap();
    capabilities
}

impl Browser {
    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub(crate) async fn one(&self, css: &str) -> WebElement {
        self.driver.find(By::Css(css)).await.unwrap()
    }

    pub(crate) async fn all(&self, css: &str) -> Vec<WebElement> {
        let found = self.driver.find_all(By::Css(css)).await.unwrap();
        assert!(!found.is_empty(), "no {css}");
        found
    }

    /// The text as it is shown.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.one(css).await.text().await.unwrap()
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, vec![]).await.unwrap().json().clone()
    }

    pub(crate) async fn press(&self, key: Key) {
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// What was requested over the network since the last call.
    pub(crate) async fn requests(&self) -> BTreeSet<String> {
        let log = self.driver.get_log("performance").await.unwrap();
        let events = log.iter().map(|entry| serde_json::from_str::<Value>(&entry.message).unwrap());
        let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        let urls = sent
            .map(|event| event["message"]["params"]["request"]["url"].as_str().unwrap().to_owned());
        urls.filter(|url| !url.starts_with("data:")).collect()
    }

    /// What the browser said on its console since the last call: errors, warnings, breaches of the
    /// policy.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        self.driver.browser_log().await.unwrap().into_iter().map(|entry| entry.message).collect()
    }

    pub(crate) async fn allow_reading_the_clipboard(&self) {
        self.devtools(
            "Browser.grantPermissions",
            json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}),
        )
        .await;
    }

    pub(crate) async fn clipboard(&self) -> String {
        let read = "const done = arguments[0];
            navigator.clipboard.readText().then(done, error => done(`the clipboard can't be read: \
${error}`));";
        self.driver.execute_async(read, vec![]).await.unwrap().convert().unwrap()
    }

    /// Keeps all that the status line says from here on: it falls silent after a moment.
    pub(crate) async fn listen_to_status(&self) {
        let listen = "const status = document.querySelector('[role=status]');
            window.said = [];
            new MutationObserver(() => window.said.push(status.textContent)).observe(status, \
{childList: true});";
        self.run(listen).await;
    }

    /// Waits until the status line has said `text`.
    pub(crate) async fn wait_for_status(&self, text: &str) {
        let wait = "const [text, done] = arguments;
            const look = () => window.said.includes(text) ? done() : requestAnimationFrame(look);
            look();";
        self.driver.set_script_timeout(LIMIT).await.unwrap();
        if let Err(error) = self.driver.execute_async(wait, vec![json!(text)]).await {
            panic!("{text:?} was not said, but {}: {error}", self.run("return window.said").await);
        }
    }

    /// The reader's colour scheme, and the width of the window in CSS pixels.
    pub(crate) async fn prefer(&self, scheme: &str, width: u32) {
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        )
        .await;
        let mobile = width < 600;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": mobile}),
        )
        .await;
    }

    pub(crate) async fn without_script(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    }

    /// Writes the whole page, as it is `width` pixels wide, to `target/screenshots/NAME.png`.
    pub(crate) async fn screenshot(&self, name: &str, width: u32) {
        let height = self.run("return document.documentElement.scrollHeight").await;
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let shot = self
            .devtools(
                "Page.captureScreenshot",
                json!({"captureBeyondViewport": true, "clip": clip}),
            )
            .await;
        let directory = screenshots();
        fs::create_dir_all(&directory).unwrap();
        let png = BASE64_STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        fs::write(directory.join(format!("{name}.png")), png).unwrap();
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(method, parameters).await.unwrap()
    }
}

/// Beside the directory that Cargo gives tests for their files, which is in `target`.
fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
}
