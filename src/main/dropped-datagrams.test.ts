import { createSocket } from 'node:dgram';
import { afterEach, expect, test, vi } from 'vitest';
import { createMetrics } from '../platform/metrics/index.ts';
import { receiveOverUdp } from '../platform/syslog/index.ts';
import { tellDropped } from './dropped-datagrams.ts';

afterEach(() => vi.useRealTimers());

function told() {
  const lines: unknown[] = [];
  const metrics = createMetrics();
  const dropped = tellDropped({ warn: (_text, fields) => void lines.push(fields) }, metrics, 60_000);
  const counted = async () => Number(/^careseal_audit_datagrams_dropped_total (\d+)$/m.exec(await metrics.text())?.[1]);
  return { lines, dropped, counted };
}

test('the log tells of dropped datagrams at the first and then once a minute, the metrics of each', async () => {
  vi.useFakeTimers();
  const { lines, dropped, counted } = told();
  expect(await counted()).toBe(0);
  for (let i = 0; i < 1_000; i++) dropped.one();
  expect(lines).toEqual([{ dropped: 1 }]);
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual([{ dropped: 1 }, { dropped: 999 }]);
  vi.advanceTimersByTime(600_000);
  dropped.one();
  dropped.one();
  dropped.stop();
  expect(lines.slice(2)).toEqual([{ dropped: 1 }, { dropped: 1 }]);
  expect(await counted()).toBe(1_002);
});

test('no more datagrams are taken within a second than are allowed, and the next second takes them again', async () => {
  const { dropped, counted } = told();
  let nowMs = 1_000;
  let taken = 0;
  const receiver = await receiveOverUdp({
    ...{ host: '127.0.0.1', port: 0, dropped: dropped.one, nowMs: () => nowMs },
    ...{ perSecondMax: 5, bytesPerSecondMax: 1_000 },
    take: () => ++taken <= 8,
  });
  const socket = createSocket('udp4');
  const send = () => new Promise((resolve) => socket.send('<85>1 x', receiver.port, '127.0.0.1', resolve));
  const settled = async () => taken + (await counted());
  try {
    for (let i = 0; i < 12; i++) await send();
    await expect.poll(settled).toBe(12);
    expect(taken).toBe(5);
    nowMs += 1_000;
    for (let i = 0; i < 4; i++) await send();
    // What is full beyond the bound is counted as well: the ninth was offered, and not taken.
    await expect.poll(counted).toBe(8);
    expect(taken).toBe(9);
  } finally {
    dropped.stop();
    socket.close();
    await receiver.close();
  }
});

test('nor more bytes than are allowed, however few datagrams bring them; smaller ones still get in', async () => {
  const { dropped, counted } = told();
  let nowMs = 1_000;
  const taken: number[] = [];
  const receiver = await receiveOverUdp({
    ...{ host: '127.0.0.1', port: 0, dropped: dropped.one, nowMs: () => nowMs },
    ...{ perSecondMax: 100, bytesPerSecondMax: 10_000 },
    take: ({ message }) => taken.push(message.byteLength) > 0,
  });
  const socket = createSocket('udp4');
  const send = async (bytes: number) => {
    await new Promise((resolve) => socket.send(Buffer.alloc(bytes, 'x'), receiver.port, '127.0.0.1', resolve));
    const sent = ++sends;
    const settled = async () => taken.length + (await counted());
    await expect.poll(settled, { interval: 5, timeout: 10_000 }).toBe(sent);
  };
  let sends = 0;
  try {
    for (const bytes of [4_000, 4_000, 4_000, 2_000, 1, 9_000]) await send(bytes);
    expect([taken, await counted()]).toEqual([[4_000, 4_000, 2_000], 3]);
    nowMs += 1_000;
    for (const bytes of [10_001, 10_000, 1]) await send(bytes);
    expect([taken.slice(3), await counted()]).toEqual([[10_000], 5]);
  } finally {
    dropped.stop();
    socket.close();
    await receiver.close();
  }
});
