//! GETs a URL through wasi:http/outgoing-handler.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, IncomingBody, IncomingResponse, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

wit_bindgen::generate!({ path: "wit" });

const CHUNK_BYTES: u64 = 64 * 1024;

struct HttpFetch;

export!(HttpFetch);

impl Guest for HttpFetch {
    fn fetch(url: String) -> Result<String, String> {
        let request = prepare(&url)?;
        let pending =
            outgoing_handler::handle(request, None).map_err(|code| format!("{code:?}"))?;
        pending.subscribe().block();
        let response = pending
            .get()
            .ok_or("no response")?
            .map_err(|()| "the response was taken already")?
            .map_err(|code| format!("{code:?}"))?;
        match response.status() {
            200..=299 => String::from_utf8(read(&response)?).map_err(|error| error.to_string()),
            status => Err(format!("status {status}")),
        }
    }
}

fn prepare(url: &str) -> Result<OutgoingRequest, String> {
    let (scheme, rest) = url.split_once("://").ok_or("the URL has no scheme")?;
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let request = OutgoingRequest::new(Fields::new());
    request
        .set_scheme(Some(&scheme))
        .map_err(|()| "the scheme was refused")?;
    request
        .set_authority(Some(authority))
        .map_err(|()| "the authority was refused")?;
    request
        .set_path_with_query(Some(path))
        .map_err(|()| "the path was refused")?;
    Ok(request)
}

fn read(response: &IncomingResponse) -> Result<Vec<u8>, String> {
    let body: IncomingBody = response
        .consume()
        .map_err(|()| "the body was taken already")?;
    let stream = body.stream().map_err(|()| "the stream was taken already")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(CHUNK_BYTES) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
}
