import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DEFAULT_THEME, convertCssVariables, defaultCssVariablesResolver, mergeMantineTheme } from '@mantine/core';
import react from '@vitejs/plugin-react';
import { type Plugin, defineConfig } from 'vite';
import { makeVerifier } from './scripts/build-verifier.ts';
import { look, theme } from './src/web/app/theme.ts';

/**
 * The theme's CSS variables as a file. Mantine would write them into a <style> element at run time, which our content
 * security policy refuses; so they are computed here, from the one theme file.
 */
function themeVariables(): Plugin {
  const id = 'virtual:theme.css';
  return {
    name: 'careseal-theme-variables',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(resolved) {
      if (resolved !== `\0${id}`) return undefined;
      const merged = mergeMantineTheme(DEFAULT_THEME, theme);
      const base = defaultCssVariablesResolver(merged);
      const own = look(merged);
      return convertCssVariables({
        variables: { ...base.variables, ...own.variables },
        light: { ...base.light, ...own.light },
        dark: { ...base.dark, ...own.dark },
      });
    },
  };
}

/**
 * Beside the public folder, never in it: which chunk needs which, and what each weighs. `scripts/web-sizes.ts` holds the
 * budgets against it.
 */
function chunkSizes(): Plugin {
  return {
    name: 'careseal-chunk-sizes',
    writeBundle(options, bundle) {
      const chunks = Object.values(bundle).flatMap((file) =>
        file.type === 'chunk'
          ? [
              {
                file: file.fileName,
                entry: file.isEntry,
                page: file.isDynamicEntry ? (file.facadeModuleId?.split('/src/web/')[1] ?? file.name) : undefined,
                imports: file.imports,
                gzipBytes: gzipSync(file.code, { level: 9 }).length,
              },
            ]
          : [],
      );
      writeFileSync(join(dirname(options.dir ?? 'dist/web'), 'web-chunks.json'), JSON.stringify(chunks, null, 1));
    },
  };
}

/** The verifier for outsiders, as files under `/verify/` that the pages of the audit log offer. */
function verifierFiles(): Plugin {
  return {
    name: 'careseal-verifier-files',
    apply: 'build',
    async generateBundle() {
      for (const { name, text } of await makeVerifier())
        this.emitFile({ type: 'asset', fileName: `verify/${name}`, source: text });
    },
  };
}

export default defineConfig({
  root: 'src/web',
  publicDir: false,
  plugins: [react(), themeVariables(), chunkSizes(), verifierFiles()],
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // No source maps to the public; nothing inlined, so that the policy needs neither data: scripts nor data: fonts.
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // The parser and its setting travel together, so that the setting holds before any schema is made.
            { name: 'parser', test: /node_modules\/zod\/|parser-without-eval/ },
          ],
        },
      },
    },
  },
});
