#!/usr/bin/env node
// Answers forge as the native Solidity compiler would, with the WebAssembly build of the npm package `solc`.
//
// forge uses two calls only: `--version`, and `--standard-json` with the request on stdin. The request is handed over
// through the compiler's heap: the package's own wrapper puts it on the stack of the WebAssembly module, which is too
// small for a whole project. Output is written synchronously, since a pipe may be closed as soon as forge has read it.
'use strict';

const fs = require('fs');
const path = require('path');

const compiler = require(path.join(__dirname, '..', 'node_modules', 'solc', 'soljson.js'));

function compile(request) {
  const size = compiler.lengthBytesUTF8(request) + 1;
  const input = compiler._solidity_alloc(size);
  compiler.stringToUTF8(request, input, size);
  // The two zeros: no callback for imports, since forge passes every source in the request.
  const output = compiler._solidity_compile(input, 0, 0);
  return compiler.UTF8ToString(output);
}

function writeAll(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

const call = process.argv.slice(2);
if (call.includes('--version')) {
  const version = compiler.UTF8ToString(compiler._solidity_version());
  // forge reads the last line and expects the form of the native build.
  const native = version.replace(/\.Emscripten\.clang$/, '.Linux.g++');
  writeAll(`solc, the solidity compiler commandline interface\nVersion: ${native}\n`);
} else if (call.includes('--standard-json')) {
  writeAll(compile(fs.readFileSync(0, 'utf8')));
} else {
  process.stderr.write('solc.js: only --version and --standard-json are supported\n');
  process.exit(1);
}
