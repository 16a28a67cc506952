// SPDX-License-Identifier: MIT
// What the tests of the console require: a MariaDB, servers, and pages of a browser that must stay without errors.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { chromium } = createRequire(join(process.env.FEATHERID_PLAYWRIGHT, 'package.json'))('playwright-core');
const asRoot = process.getuid() === 0;
export const scratch = mkdtempSync(join(tmpdir(), 'featherid-console-'));

// Waits until `condition` returns something true, and returns it.
export async function waitUntil(condition, what, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert(Date.now() < end, `not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Below the ports for outgoing connections, which could take it before the database has started.
function freePort() {
  return new Promise((resolve) => {
    const port = 10000 + Math.floor(Math.random() * 22768);
    const server = net.createServer().once('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}

function ended(child) {
  return child.exitCode !== null || child.signalCode !== null;
}

async function stop(child, signal) {
  if (ended(child)) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

// --- the database ---

export class Mariadb {
  async start() {
    const folder = join(scratch, 'data');
    const rootFlag = asRoot ? ['--user=root'] : [];
    const environment = { ...process.env, TMPDIR: scratch };
    execFileSync('mariadb-install-db', ['--no-defaults', '--skip-test-db', '--auth-root-authentication-method=normal',
      `--datadir=${folder}`, ...rootFlag], { env: environment, stdio: 'pipe' });
    writeFileSync(join(scratch, 'init.sql'),
      "CREATE DATABASE IF NOT EXISTS ids;\nCREATE USER IF NOT EXISTS featherid@'%' IDENTIFIED BY 'secret';\n"
      + "GRANT ALL ON *.* TO featherid@'%';\n");
    this.port = await freePort();
    this.socket = join(scratch, 'socket');
    this.child = spawn('/usr/sbin/mariadbd', ['--no-defaults', `--datadir=${folder}`, `--socket=${this.socket}`,
      `--pid-file=${join(scratch, 'pid')}`, `--init-file=${join(scratch, 'init.sql')}`, `--port=${this.port}`,
      '--bind-address=127.0.0.1', '--skip-name-resolve', '--character-set-server=utf8mb4',
      '--innodb-buffer-pool-size=32M', '--innodb-log-file-size=16M', ...rootFlag], { env: environment, stdio: 'ignore' });
    await waitUntil(() => {
      assert(!ended(this.child), 'mariadbd does not start');
      try {
        return this.run('SELECT 1') !== '';
      } catch {
        return false;
      }
    }, 'mariadbd serves', 60);
  }

  run(sql) {
    return execFileSync('mariadb', ['--no-defaults', `--socket=${this.socket}`, '--user=featherid', '--password=secret',
      '--default-character-set=utf8mb4', '--batch', 'ids'], { input: sql, stdio: ['pipe', 'pipe', 'pipe'], encoding: 'utf8' });
  }

  freeze() {
    this.child.kill('SIGSTOP');
  }

  thaw() {
    this.child.kill('SIGCONT');
  }

  async stop() {
    this.thaw();
    await stop(this.child, 'SIGKILL');
  }

  get url() {
    return `mysql://featherid:secret@127.0.0.1:${this.port}/ids`;
  }
}

// --- the server ---

export class Server {
  static async start(url, ...flags) {
    const server = new Server();
    const log = join(scratch, `server-${await freePort()}.log`);
    const program = process.env.FEATHERID_SERVER_PROGRAM;
    execFileSync(program, ['--database', url, '--init-schema'], { stdio: 'pipe' });
    server.child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>"$LOG"', program, '--listen', '127.0.0.1:0', '--database', url,
        '--request-timeout', '15s', ...flags],
      { env: { ...process.env, LOG: log }, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    server.child.stdout.on('data', (data) => { text += data; });
    try {
      await waitUntil(() => {
        [, server.address] = /ready on (\S+)/.exec(text) ?? [];
        return server.address || ended(server.child);
      }, 'the server is ready');
      assert(server.address, `the server does not start: ${readFileSync(log, 'utf8')}`);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async get(path) {
    const answer = await fetch(this.address + path);
    return { status: answer.status, ...(await answer.json()) };
  }

  // Takes ids again and again; returns what ends that.
  letIdsFlow(tag, perSecond) {
    const timer = setInterval(() => {
      this.get(`/api/v1/id/range?biz_tag=${encodeURIComponent(tag)}&count=${Math.ceil(perSecond / 10)}`).catch(() => {});
    }, 100);
    return () => clearInterval(timer);
  }

  async stop() {
    await stop(this.child, 'SIGTERM');
  }
}

// --- the browser ---

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({
      executablePath: process.env.FEATHERID_CHROMIUM ?? '/usr/bin/chromium', args: asRoot ? ['--no-sandbox'] : [],
    });
    return browser;
  }

  // Runs `work` with a new page. The page must log no error, except `expected` ones, and ask no other host.
  async withPage(server, hash, { expected, ...options }, work) {
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
    const errors = [];
    context.on('request', (request) => {
      if (!request.url().startsWith(server.address + '/') && !request.url().startsWith('data:')) errors.push(`asks for ${request.url()}`);
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(`${message.type()}: ${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => errors.push(error.stack));
    page.on('dialog', (dialog) => {
      errors.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
    try {
      await page.goto(`${server.address}/console/${hash}`);
      await work(page);
      assert.deepEqual(errors.filter((error) => !expected?.test(error)), []);
    } finally {
      await context.close();
    }
  }

  async stop() {
    await this.chromium.close();
  }
}

export function removeScratch() {
  rmSync(scratch, { recursive: true, force: true });
}
