MODEL (name mesh.levels, kind SEED (path '../seeds/levels.csv'));
