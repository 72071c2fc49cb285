"""The roll-up tables, what the pipeline tells of itself, exports, and the permissions of the dashboard."""

import analytics.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0004_dead_letter_digests'),
    ]

    operations = [
        migrations.CreateModel(
            name='Desk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'permissions': [('view_dashboard', 'Can see the dashboard'), ('export', 'Can export tables and charts as CSV'), ('manage_dead_letters', 'Can retry and discard dead letters')],
                'managed': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('customer_user_id', analytics.fields.KeyField(max_length=24, primary_key=True, serialize=False)),
                ('first_day', models.DateField(null=True)),
            ],
            options={
                'db_table': 'customers',
            },
        ),
        migrations.CreateModel(
            name='CustomerDay',
            fields=[
                ('pk', models.CompositePrimaryKey('customer_user_id', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('customer_user_id', analytics.fields.KeyField(max_length=24)),
                ('day', models.DateField()),
                ('orders', models.BigIntegerField()),
                ('revenue_cents', models.BigIntegerField()),
            ],
            options={
                'db_table': 'customer_days',
            },
        ),
        migrations.CreateModel(
            name='DailyBuyers',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'previous_day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('previous_day', models.DateField()),
                ('customers', models.BigIntegerField()),
            ],
            options={
                'db_table': 'daily_buyers',
            },
        ),
        migrations.CreateModel(
            name='DailyCancellations',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'reason', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('reason', analytics.fields.KeyField(max_length=500)),
                ('orders', models.BigIntegerField()),
            ],
            options={
                'db_table': 'daily_cancellations',
            },
        ),
        migrations.CreateModel(
            name='DailyOrders',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'status', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('status', analytics.fields.KeyField(max_length=20)),
                ('orders', models.BigIntegerField()),
                ('units', models.BigIntegerField()),
                ('total_cents', models.BigIntegerField()),
            ],
            options={
                'db_table': 'daily_orders',
            },
        ),
        migrations.CreateModel(
            name='DailyPosts',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'state', 'tier', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('state', analytics.fields.KeyField(max_length=10)),
                ('tier', analytics.fields.KeyField(max_length=10)),
                ('posts', models.BigIntegerField()),
                ('views', models.BigIntegerField()),
                ('likes', models.BigIntegerField()),
                ('interactions', models.BigIntegerField()),
            ],
            options={
                'db_table': 'daily_posts',
            },
        ),
        migrations.CreateModel(
            name='DailySupplierSales',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'supplier_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('supplier_id', analytics.fields.KeyField(max_length=24)),
                ('orders', models.BigIntegerField()),
                ('items_sold', models.BigIntegerField()),
                ('revenue_cents', models.BigIntegerField()),
            ],
            options={
                'db_table': 'daily_supplier_sales',
            },
        ),
        migrations.CreateModel(
            name='DailyUsers',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False)),
                ('sign_ups', models.BigIntegerField()),
                ('deleted', models.BigIntegerField()),
            ],
            options={
                'db_table': 'daily_users',
            },
        ),
        migrations.CreateModel(
            name='EventDelay',
            fields=[
                ('pk', models.CompositePrimaryKey('minute', 'up_to_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                ('minute', models.DateTimeField()),
                ('up_to_ms', models.BigIntegerField()),
                ('events', models.BigIntegerField()),
            ],
            options={
                'db_table': 'event_delays',
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('actor', analytics.fields.LineField(max_length=150)),
                ('what', analytics.fields.KeyField(max_length=100)),
                ('filters', analytics.fields.ProseField()),
                ('rows', models.BigIntegerField(null=True)),
            ],
            options={
                'db_table': 'exports',
            },
        ),
        migrations.CreateModel(
            name='MonthlyCohorts',
            fields=[
                ('pk', models.CompositePrimaryKey('cohort', 'month', blank=True, editable=False, primary_key=True, serialize=False)),
                ('cohort', models.DateField()),
                ('month', models.DateField()),
                ('customers', models.BigIntegerField()),
            ],
            options={
                'db_table': 'monthly_cohorts',
            },
        ),
        migrations.CreateModel(
            name='PartitionReport',
            fields=[
                ('pk', models.CompositePrimaryKey('group_id', 'topic', 'partition', blank=True, editable=False, primary_key=True, serialize=False)),
                ('group_id', analytics.fields.KeyField(max_length=255)),
                ('topic', analytics.fields.KeyField(max_length=249)),
                ('partition', models.IntegerField()),
                ('next_offset', models.BigIntegerField()),
                ('end_offset', models.BigIntegerField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'partition_reports',
            },
        ),
        migrations.CreateModel(
            name='VerificationRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(db_index=True)),
                ('scope', analytics.fields.ProseField()),
                ('checked', models.BigIntegerField()),
                ('wrong', models.BigIntegerField()),
                ('mended', models.BigIntegerField()),
            ],
            options={
                'db_table': 'verification_runs',
            },
        ),
        migrations.CreateModel(
            name='DailySales',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'product_id', 'variant_key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('product_id', analytics.fields.KeyField(max_length=24)),
                ('variant_key', analytics.fields.KeyField(max_length=200)),
                ('lines', models.BigIntegerField()),
                ('quantity', models.BigIntegerField()),
                ('revenue_cents', models.BigIntegerField()),
            ],
            options={
                'db_table': 'daily_sales',
                'indexes': [models.Index(fields=['product_id', 'day'], name='daily_sales_product_day')],
            },
        ),
    ]
