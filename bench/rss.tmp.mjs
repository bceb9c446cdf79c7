import { spawn } from 'node:child_process'
import fs from 'node:fs'
for (const store of ['memory', 'sqlite']) {
  const dir = fs.mkdtempSync('/tmp/perf-')
  const c = spawn(process.execPath, [...process.argv.slice(2), 'bench/server/embedded.js', store, dir, '/tmp/pc'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((r) => c.stdout.once('data', r))
  await new Promise((r) => setTimeout(r, 1500))
  const s = fs.readFileSync(`/proc/${c.pid}/status`, 'utf8')
  console.log(store, ...s.match(/Vm(RSS|HWM).*|Rss(Anon|File).*/g))
  c.kill('SIGKILL')
}
const c = spawn(process.execPath, ['-e', 'setTimeout(()=>{},3000)'])
await new Promise((r) => setTimeout(r, 800))
console.log('bare', ...fs.readFileSync(`/proc/${c.pid}/status`, 'utf8').match(/VmRSS.*|Rss(Anon|File).*/g))
c.kill()
