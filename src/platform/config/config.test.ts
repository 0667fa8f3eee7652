import { describe, expect, it } from 'vitest';
import { Problem } from '../../kernel/problem.ts';
import { type ConfigInput, readConfig } from './config.ts';
import { describeConfig } from './index.ts';
import { variableName } from './settings.ts';

function input(changes: Partial<ConfigInput>): ConfigInput {
  return {
    home: '/home/h',
    homeSource: 'default',
    workingDirectory: '/srv/d',
    document: undefined,
    variables: {},
    ...changes,
  };
}

function refusal(changes: Partial<ConfigInput>): string {
  try {
    readConfig(input(changes));
  } catch (error) {
    if (error instanceof Problem) return error.publicDetail;
    throw error;
  }
  return '';
}

describe('the settings', () => {
  it('are the defaults when nothing is said', () => {
    const config = readConfig(input({}));
    expect(config).toMatchObject({
      usersPort: 8443,
      nodesPort: 8444,
      operationsPort: 9464,
      workers: 1,
      hostnames: ['localhost'],
    });
    expect(config.redirectPort).toBeUndefined();
    expect(config.sources.usersPort).toBe('default');
  });

  it('come from careseal.json, and a variable outranks it', () => {
    const document = { usersPort: 1000, nodesPort: 2000, usersCertificateFile: 'tls/a.pem', usersKeyFile: 'tls/a.key' };
    const config = readConfig(
      input({ document, variables: { CARESEAL_NODES_PORT: '3000', CARESEAL_HOSTNAMES: 'a.example, 10.0.0.1' } }),
    );
    expect(config).toMatchObject({ usersPort: 1000, nodesPort: 3000, hostnames: ['a.example', '10.0.0.1'] });
    expect(config.sources).toMatchObject({ usersPort: 'careseal.json', nodesPort: 'environment', workers: 'default' });
    expect(config.usersCertificateFile).toBe('/home/h/tls/a.pem');
  });

  it.each([
    [{ variables: { CARESEAL_PORT: '1' } }, 'CARESEAL_PORT is not a setting'],
    [{ variables: { CARESEAL_USER_SPORT: '1' } }, 'did you mean CARESEAL_USERS_PORT'],
    [{ document: { port: 1 } }, '"port" in careseal.json is not a setting'],
    [{ document: [] }, 'must be a JSON object'],
    [{ variables: { CARESEAL_USERS_PORT: '70000' } }, 'CARESEAL_USERS_PORT'],
    [{ variables: { CARESEAL_USERS_PORT: '80x' } }, 'CARESEAL_USERS_PORT'],
    [{ variables: { CARESEAL_WORKERS: '0' } }, 'CARESEAL_WORKERS'],
    [{ variables: { CARESEAL_HOSTNAMES: '' } }, 'CARESEAL_HOSTNAMES'],
    [{ variables: { CARESEAL_HOSTNAMES: 'a b' } }, 'host name'],
    [{ variables: { CARESEAL_DEVELOPMENT: 'yes' } }, 'CARESEAL_DEVELOPMENT'],
    [{ variables: { CARESEAL_DATABASE_URL: 'mysql://x' } }, 'postgres://'],
    [{ variables: { CARESEAL_USERS_KEY_FILE: 'k' } }, 'needed together'],
    [{ variables: { CARESEAL_DATABASE_OWNER_URL: 'postgres://x' } }, 'needs CARESEAL_DATABASE_URL'],
  ])('refuse %j', (changes, text) => {
    expect(refusal(changes)).toContain(text);
  });

  it('list everything wrong at once, without repeating a value', () => {
    const detail = refusal({
      variables: { CARESEAL_USERS_PORT: 'hunter2', CARESEAL_NODES_PORT: 'x', CARESEAL_NOPE: 'y' },
    });
    expect(detail.split('\n  - ')).toHaveLength(4);
    expect(detail).not.toContain('hunter2');
  });

  it('are printed without passwords', () => {
    const url = 'postgres://careseal:hunter2@db.example/careseal?password=hunter3';
    const printed = JSON.stringify(describeConfig(readConfig(input({ variables: { CARESEAL_DATABASE_URL: url } }))));
    expect(printed).toContain('db.example');
    expect(printed).not.toMatch(/hunter/);
  });

  it('have the variable names the handbook gives', () => {
    expect(['usersPort', 'databaseUrl', 'hostnames'].map(variableName)).toEqual([
      'CARESEAL_USERS_PORT',
      'CARESEAL_DATABASE_URL',
      'CARESEAL_HOSTNAMES',
    ]);
  });
});
