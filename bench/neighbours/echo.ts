/**
 * Answers each line after having been busy for as many milliseconds as it says: what a request costs where only the
 * machine is shared. Prints its port; ends with its input.
 */
import { createServer, type AddressInfo } from 'node:net'

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined)
  socket.on('data', (line: Buffer) => {
    const until = performance.now() + Number(line.toString())
    while (performance.now() < until);
    socket.write(line)
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.stdin.resume()
process.stdin.once('end', () => process.exit(0))
