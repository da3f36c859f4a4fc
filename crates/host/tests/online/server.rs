//! A node on the loopback that says what it is told to say, faults included.

use rebut_host::source::NodeUrl;
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What a node does instead of answering.
#[derive(Clone)]
pub enum Fault {
    /// The result is this one.
    Result(Value),
    /// A JSON-RPC error.
    Error(i64, &'static str),
    /// An HTTP status with this body.
    Status(u16, &'static str),
    /// A status with the header `Retry-After: 0`.
    SlowDown,
    /// Text that is no JSON.
    NotJson,
    /// An answer to another request.
    Stray,
    /// Nothing, until the other side gives up.
    Silence,
    /// Half an answer.
    Broken,
    /// An answer without an end.
    Endless,
}

#[derive(Default)]
struct Answers {
    /// By method and parameters; for the beacon API by path and "GET".
    results: HashMap<(String, String), Value>,
    methods: BTreeSet<String>,
    /// Method, how often still, what then.
    faults: Vec<(String, usize, Fault)>,
    log: Vec<String>,
}

/// A running node. Its thread ends with the process.
#[derive(Clone)]
pub struct Server {
    url: NodeUrl,
    answers: Arc<Mutex<Answers>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let answers = Arc::new(Mutex::new(Answers::default()));
        let server = Self { url, answers: Arc::clone(&answers) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = Arc::clone(&answers);
                // The other side hangs up whenever it likes.
                thread::spawn(move || serve(stream, &answers).unwrap_or_default());
            }
        });
        server
    }

    /// An execution node of a chain.
    pub fn execution(chain_id: u64) -> Self {
        let server = Self::start();
        server.answer("eth_chainId", &json!([]), json!(format!("0x{chain_id:x}")));
        server
    }

    pub fn url(&self) -> NodeUrl {
        self.url.clone()
    }

    /// From now on the method exists and has this result for these parameters.
    pub fn answer(&self, method: &str, params: &Value, result: Value) {
        let mut answers = self.answers.lock().unwrap();
        answers.methods.insert(method.into());
        answers.results.insert((method.into(), params.to_string()), result);
    }

    /// From now on the beacon API has this at a path.
    pub fn answer_get(&self, path: &str, data: Value) {
        let mut answers = self.answers.lock().unwrap();
        answers.results.insert((path.into(), "GET".into()), data);
    }

    /// The method exists, though it has no results.
    pub fn offer(&self, method: &str) {
        self.answers.lock().unwrap().methods.insert(method.into());
    }

    /// The method does not exist.
    pub fn withdraw(&self, method: &str) {
        self.answers.lock().unwrap().methods.remove(method);
    }

    /// The next `times` calls of the method with parameters meet a fault.
    pub fn fail(&self, method: &str, times: usize, fault: Fault) {
        self.answers.lock().unwrap().faults.push((method.into(), times, fault));
    }

    /// How often a method was called with parameters.
    pub fn calls(&self, method: &str) -> usize {
        let answers = self.answers.lock().unwrap();
        answers.log.iter().filter(|called| *called == method).count()
    }
}

fn serve(mut stream: TcpStream, answers: &Mutex<Answers>) -> std::io::Result<()> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    let (head, body) = loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        text.extend_from_slice(&buffer[..count]);
        let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(text[..end].to_vec()).unwrap().to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(0, |length| length.trim().parse().unwrap());
        if text.len() >= end + 4 + length {
            let path = String::from_utf8(text[..end].to_vec()).unwrap();
            break (path, text[end + 4..end + 4 + length].to_vec());
        }
    };
    let mut words = head.split_whitespace();
    let (verb, path) = (words.next().unwrap(), words.next().unwrap());
    if verb == "GET" {
        return get(&mut stream, path, answers);
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    post(&mut stream, &request, answers)
}

fn get(stream: &mut TcpStream, path: &str, answers: &Mutex<Answers>) -> std::io::Result<()> {
    let path = path.split('?').next().unwrap();
    let (fault, result) = look_up(answers, path, "GET");
    match (fault, result) {
        (Some(fault), _) => misbehave(stream, &fault, &Value::Null),
        (None, Some(result)) => reply(stream, 200, "", &json!({ "data": result }).to_string()),
        (None, None) => reply(stream, 404, "", r#"{"code": 404, "message": "not found"}"#),
    }
}

fn post(stream: &mut TcpStream, request: &Value, answers: &Mutex<Answers>) -> std::io::Result<()> {
    let method = request["method"].as_str().unwrap();
    let params = &request["params"];
    let id = &request["id"];
    let known = answers.lock().unwrap().methods.contains(method);
    if !known {
        return error(stream, id, -32601, "the method does not exist/is not available");
    }
    if *params == json!([]) && method != "eth_chainId" {
        return error(stream, id, -32602, "missing value for required argument 0");
    }
    match look_up(answers, method, &params.to_string()) {
        (Some(fault), _) => misbehave(stream, &fault, id),
        (None, result) => {
            let result = result.unwrap_or(Value::Null);
            let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
            reply(stream, 200, "", &answer.to_string())
        }
    }
}

fn look_up(answers: &Mutex<Answers>, method: &str, params: &str) -> (Option<Fault>, Option<Value>) {
    let mut answers = answers.lock().unwrap();
    answers.log.push(method.to_owned());
    let result = answers.results.get(&(method.to_owned(), params.to_owned())).cloned();
    let fault = answers.faults.iter_mut().find(|(name, left, _)| name == method && *left > 0);
    let fault = fault.map(|(_, left, fault)| {
        *left = left.saturating_sub(1);
        fault.clone()
    });
    (fault, result)
}

fn error(stream: &mut TcpStream, id: &Value, code: i64, message: &str) -> std::io::Result<()> {
    let error = json!({ "code": code, "message": message });
    reply(stream, 200, "", &json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string())
}

fn misbehave(stream: &mut TcpStream, fault: &Fault, id: &Value) -> std::io::Result<()> {
    match fault {
        Fault::Result(result) if id.is_null() => {
            reply(stream, 200, "", &json!({ "data": result }).to_string())
        }
        Fault::Result(result) => {
            let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
            reply(stream, 200, "", &answer.to_string())
        }
        Fault::Error(code, message) => error(stream, id, *code, message),
        Fault::Status(status, body) => reply(stream, *status, "", body),
        Fault::SlowDown => reply(stream, 429, "Retry-After: 0\r\n", ""),
        Fault::NotJson => reply(stream, 200, "", "<html>welcome</html>"),
        Fault::Stray => reply(stream, 200, "", r#"{"jsonrpc":"2.0","id":0,"result":"0x"}"#),
        Fault::Silence => {
            // Returns when the other side hangs up.
            let _ = stream.read(&mut [0; 1])?;
            Ok(())
        }
        Fault::Broken => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\":")?;
            Ok(())
        }
        Fault::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n[")?;
            loop {
                stream.write_all(&[b' '; 4096])?;
            }
        }
    }
}

fn reply(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{headers}\r\n{body}"
    )
}
