/** What a client shows to prove who it is, renewed where it expires. */
import { readFile } from 'node:fs/promises'
import type { Connection } from './connection.ts'
import { runExecPlugin } from './exec-plugin.ts'

/** A renewed credential is another object. */
export interface Credential {
  /** The Authorization header. */
  readonly authorization?: string
  /** PEM texts of a client certificate and its key. */
  readonly certificate?: string
  readonly key?: string
}

interface Renewal {
  readonly credential: Credential
  /** Milliseconds since 1970 until which it is believed. */
  readonly until: number
}

/** Milliseconds for which a token file is believed without a look. */
const TOKEN_AGE = 10_000

/** The credentials of one connection. A renewal is shared by all who wait for it. */
export class Credentials {
  readonly #renew: (() => Promise<Renewal>) | undefined
  readonly #now: () => number
  #current: Credential | undefined
  #until = Number.POSITIVE_INFINITY
  #renewing: Promise<Credential> | undefined

  /** @param signal ends a program that is asked */
  constructor(connection: Connection, now: () => number, signal: AbortSignal) {
    this.#now = now
    const { token, tokenFile, exec, username, password, clientCertificate, clientKey } = connection
    const pair = {
      ...(clientCertificate === undefined ? {} : { certificate: clientCertificate }),
      ...(clientKey === undefined ? {} : { key: clientKey }),
    }
    if (tokenFile !== undefined) this.#renew = () => this.#fromFile(tokenFile, pair)
    else if (token !== undefined) this.#current = { ...pair, authorization: `Bearer ${token}` }
    else if (username !== undefined) {
      const basic = Buffer.from(`${username}:${password ?? ''}`).toString('base64')
      this.#current = { ...pair, authorization: `Basic ${basic}` }
    } else if (exec === undefined || clientCertificate !== undefined) this.#current = pair
    else
      this.#renew = async () => {
        const { token: given, expires = Number.POSITIVE_INFINITY, ...identity } = await runExecPlugin(exec, signal)
        return {
          credential: given === undefined ? identity : { ...identity, authorization: `Bearer ${given}` },
          until: expires,
        }
      }
  }

  /**
   * The credential to use now: at once, unless it has to be made or renewed first.
   * @throws Error when the program fails, or a token file cannot be read and none was read before
   */
  current(): Credential | Promise<Credential> {
    return this.#current !== undefined && this.#now() < this.#until ? this.#current : this.#again()
  }

  /** After a 401 to `used`: whether `current` is another one now. */
  async renewed(used: Credential): Promise<boolean> {
    if (this.#renew === undefined) return false
    if (this.#current === used) this.#until = Number.NEGATIVE_INFINITY
    return (await this.current()) !== used
  }

  #again(): Promise<Credential> {
    this.#renewing ??= this.#renew!()
      .then(({ credential, until }) => {
        const old = this.#current
        // The same again stays the same object.
        const same = old?.authorization === credential.authorization && old?.certificate === credential.certificate
        this.#current = old !== undefined && same ? old : credential
        this.#until = until
        return this.#current
      })
      .finally(() => (this.#renewing = undefined))
    return this.#renewing
  }

  async #fromFile(file: string, pair: Credential): Promise<Renewal> {
    const until = this.#now() + TOKEN_AGE
    try {
      return { credential: { ...pair, authorization: `Bearer ${(await readFile(file, 'utf8')).trim()}` }, until }
    } catch (error) {
      if (this.#current !== undefined) return { credential: this.#current, until }
      throw new Error(`cannot read the token file ${file}`, { cause: error })
    }
  }
}
