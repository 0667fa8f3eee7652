import { afterAll, beforeAll, it } from 'vitest';
import { type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { ACTS, dice, emptyRegistry, expectWhole, type Player } from '../../../test/support/registry-play.ts';
import { isProblem } from '../../kernel/problem.ts';

/**
 * Registrations and stewards' decisions in random order, against what must hold after each of them whatever came before. A seed
 * that fails fails again: the sequence is printed with it.
 */
let f: RegistryFixture;
beforeAll(async () => {
  f = await registryFixture();
});
afterAll(() => f.close());

async function play(seed: number, steps: number): Promise<void> {
  const player: Player = { f, registry: f.registry, roll: dice(seed), never: new Map(), decided: new Map() };
  const names = ['register', 'register', 'register', ...Object.keys(ACTS)];
  const played: string[] = [];
  for (let step = 0; step < steps; step++) {
    const name = names[player.roll(names.length)] ?? 'register';
    played.push(name);
    f.clock.forward(1000);
    try {
      await ACTS[name]?.(player);
    } catch (error) {
      // A refusal is an answer; anything else is a fault.
      if (!isProblem(error) || error.kind === 'internal')
        throw new Error(`seed ${seed}: ${played.join(' ')}`, { cause: error });
    }
    try {
      await expectWhole(player);
    } catch (error) {
      throw new Error(`seed ${seed} after ${played.join(' ')}: ${error instanceof Error ? error.message : ''}`, {
        cause: error,
      });
    }
  }
}

it.each([1, 4, 5, 9])(
  'whatever is registered and decided, and in whatever order (seed %i)',
  async (seed) => {
    await emptyRegistry(f);
    await play(seed, 40);
  },
  60_000,
);
