//! A mail server that keeps what it gets.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Listens on a loopback address.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
    refuses: Arc<Mutex<bool>>,
}

/// A mail with its envelope.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Head and body, with plain line ends.
    pub(crate) text: String,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, mails: Arc::default(), refuses: Arc::default() };
        let (mails, refuses) = (Arc::clone(&server.mails), Arc::clone(&server.refuses));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever is killed may have sent half of it.
                let _ = serve(stream.unwrap(), &mails, &refuses);
            }
        });
        server
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// Whether it refuses recipients from now on, as for want of room.
    pub(crate) fn refuse(&self, refuses: bool) {
        *self.refuses.lock().unwrap() = refuses;
    }
}

fn serve(stream: TcpStream, mails: &Mutex<Vec<Mail>>, refuses: &Mutex<bool>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut mail = Mail { from: String::new(), to: Vec::new(), text: String::new() };
    reader.get_mut().write_all(b"220 test\r\n")?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match line.to_ascii_uppercase() {
            verb if verb.starts_with("EHLO") => "250-test\r\n250 8BITMIME\r\n",
            verb if verb.starts_with("MAIL FROM") => {
                mail.from = address();
                "250 fine\r\n"
            }
            verb if verb.starts_with("RCPT TO") && *refuses.lock().unwrap() => "452 no room\r\n",
            verb if verb.starts_with("RCPT TO") => {
                mail.to.push(address());
                "250 fine\r\n"
            }
            verb if verb == "DATA" => {
                reader.get_mut().write_all(b"354 go on\r\n")?;
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    match line.trim_end() {
                        "." => break,
                        line => mail.text += &format!("{}\n", line.strip_prefix('.').unwrap_or(line)),
                    }
                }
                mails.lock().unwrap().push(mail.clone());
                "250 fine\r\n"
            }
            verb if verb == "QUIT" => {
                return reader.get_mut().write_all(b"221 bye\r\n");
            }
            _ => "500 what\r\n",
        };
        reader.get_mut().write_all(answer.as_bytes())?;
    }
}
